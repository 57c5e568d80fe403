import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { LogConsumer } from '../../consumer/log-consumer.js';
import { createDiagnostics, describeError, type Diagnostics } from '../../diagnostics.js';
import { isRedisLogError, RedisLogError } from '../../errors.js';
import type { AnyExporter } from '../logger/log-sink.js';
import { findLogHandlers, type FoundHandler } from './log-handlers.js';

export interface LogConsumersParts {
  readonly modules: ModulesContainer;
  readonly exporter: AnyExporter;
  /** False where logging to Redis is turned off, and in tests: no consumer is started. */
  readonly isOn: boolean;
}

/**
 * The consumers of all methods with `@OnLogs`. They start when the application is up. They stop at the end of the phase
 * `onModuleDestroy`, the first of a shutdown: what handlers use must be closed in a later one. The logger ends last.
 */
export class LogConsumers implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  readonly #parts: LogConsumersParts;
  readonly #diagnostics: Diagnostics = createDiagnostics();
  #consumers: LogConsumer[] = [];

  constructor(parts: LogConsumersParts) {
    this.#parts = parts;
  }

  /** All of them, for their `stats()`. */
  get all(): readonly LogConsumer[] {
    return this.#consumers;
  }

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, `REDIS_LOG_MODULE_MISUSED`: the application does not start. */
  onApplicationBootstrap(): void {
    const found = findLogHandlers(this.#parts.modules).map((handler) => ({
      ...handler,
      consumer: this.#make(handler),
    }));
    if (!this.#parts.isOn) return;
    this.#consumers = found.map(({ consumer }) => consumer);
    for (const { consumer, handler, name } of found) {
      consumer.run(handler).catch((error: unknown) => {
        this.#diagnostics.error(
          `on-logs:${name}`,
          `@OnLogs on ${name} does not work: ${describeError(error)}`,
        );
      });
    }
  }

  async onModuleDestroy(): Promise<void> {
    await this.#close();
  }

  /** Where an application is closed that was never initialised, the hook before is left out. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#close();
  }

  async #close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close()));
  }

  #make({ name, options }: FoundHandler): LogConsumer {
    const { connection, stream, defaultStream, shutdownTimeoutMs } = this.#parts.exporter.options;
    const own = {
      connection,
      stream: typeof stream === 'string' ? stream : defaultStream,
      shutdownTimeoutMs,
    };
    try {
      return new LogConsumer({ ...own, ...options });
    } catch (error) {
      if (!isRedisLogError(error)) throw error;
      throw new RedisLogError(error.code, `@OnLogs on ${name}: ${error.message}`, { subject: error.subject });
    }
  }
}
