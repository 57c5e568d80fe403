import type { OnApplicationShutdown } from '@nestjs/common';
import type { ResolvedWriterOptions } from '../../options/types.js';
import { LogReader } from '../../reader/log-reader.js';

/** The reader that `RedisLogModule` provides: of the stream that the application writes, closed with it. */
export class ModuleLogReader extends LogReader implements OnApplicationShutdown {
  constructor({ connection, defaultStream, partitions }: ResolvedWriterOptions) {
    super({ connection, stream: defaultStream, partitions: partitions.count });
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }
}
