import type { LoggerService } from '@nestjs/common';
import { decodeLogRecord } from '../../../src/core.js';
import { RedisLogRecordExporter } from '../../../src/index.js';
import { LoggerCore } from '../../../src/nest/logger/logger-core.js';
import { sinkOf } from '../../../src/nest/logger/log-sink.js';
import { RedisLogger } from '../../../src/nest/logger/redis-logger.js';
import { resolveLoggerOptions } from '../../../src/options/resolve.js';
import type { RedisServer } from '../../support/redis-server.js';
import type { CanonicalRecord } from './canonical.js';
import { type NestGeneration, runCall } from './nest-generations.js';
import { formOfStored } from './stored-form.js';
import type { Subject } from './subject.js';

/** The whole logger with its default options, in front of a real stream: what counts is what comes out of that. */
export class RedisSubject implements Subject, AsyncDisposable {
  readonly #generation: NestGeneration;
  readonly #exporter: RedisLogRecordExporter;
  readonly #logger: RedisLogger;
  readonly #stream: string;
  readonly #client: ReturnType<RedisServer['client']>;
  #lastId = '0';

  constructor(generation: NestGeneration, server: RedisServer) {
    this.#generation = generation;
    this.#stream = `logs:${generation.name}`;
    this.#client = server.client();
    this.#exporter = new RedisLogRecordExporter({ connection: server.url, stream: this.#stream });
    const { resource, redact } = this.#exporter.options;
    const logger = resolveLoggerOptions({ level: 'verbose', console: false }, {});
    const options = { logger, resource, redact, style: generation.style };
    this.#logger = new RedisLogger(new LoggerCore(options, sinkOf(this.#exporter)));
  }

  async run(call: Parameters<Subject['run']>[0]): Promise<CanonicalRecord[]> {
    await runCall(call, this.#generation, (context): LoggerService =>
      context === undefined ? this.#logger : this.#logger.withContext(context),
    );
    return this.#stored();
  }

  async #stored(): Promise<CanonicalRecord[]> {
    await this.#exporter.flush();
    const entries = await this.#client.xrange(this.#stream, `(${this.#lastId}`, '+');
    this.#lastId = entries.at(-1)?.[0] ?? this.#lastId;
    return entries.map(([, fields]) => {
      const result = decodeLogRecord(fields);
      if (result.status !== 'ok') throw new Error(result.reason);
      return formOfStored(result.record);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exporter.shutdown();
  }
}
