import type { OnApplicationShutdown } from '@nestjs/common';
import { RedisLogError } from '../../errors.js';
import type { ResolvedWriterOptions } from '../../options/types.js';
import { LogReader } from '../../reader/log-reader.js';

/**
 * The reader that `RedisLogModule` provides: of the stream that the application writes, closed with it. Where a function
 * names the streams, nobody knows which there are, so each call has to.
 */
export class ModuleLogReader extends LogReader implements OnApplicationShutdown {
  readonly #hasDefault: boolean;

  constructor({ connection, stream, defaultStream, partitions }: ResolvedWriterOptions) {
    super({ connection, stream: defaultStream, partitions: partitions.count });
    this.#hasDefault = typeof stream !== 'function';
  }

  protected override get defaultStreams(): readonly string[] {
    if (this.#hasDefault) return this.streams;
    throw new RedisLogError(
      'REDIS_LOG_INVALID_OPTIONS',
      "streams: the module's streams are named by a function, so none of them is meant by default. Give those to read: { streams: ['logs:shop:error'] }.",
      { subject: 'streams' },
    );
  }

  onApplicationShutdown(): Promise<void> {
    return this.close();
  }
}
