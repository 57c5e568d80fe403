import type { OnApplicationShutdown } from '@nestjs/common';
import type { ResolvedWriterOptions } from '../../options/types.js';
import { LogInsights } from '../../reader/insights/log-insights.js';

/** What `RedisLogModule` provides as `LogInsights`: of the stream that the application writes, closed with it. */
export class ModuleLogInsights extends LogInsights implements OnApplicationShutdown {
  constructor({ connection, defaultStream, partitions }: ResolvedWriterOptions) {
    super({ connection, stream: defaultStream, partitions: partitions.count });
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }
}
