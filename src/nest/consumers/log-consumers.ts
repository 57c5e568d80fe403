import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import type { LogConsumer } from '../../consumer/log-consumer.js';
import { createDiagnostics, describeError, type Diagnostics } from '../../diagnostics.js';
import { isRedisLogError, RedisLogError } from '../../errors.js';
import { defined } from '../../options/schema.js';
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
  async onApplicationBootstrap(): Promise<void> {
    const handlers = findLogHandlers(this.#parts.modules);
    if (handlers.length === 0) return;
    const { LogConsumer } = await import('../../consumer/log-consumer.js');
    const found = handlers.map((handler) => ({ ...handler, consumer: this.#make(LogConsumer, handler) }));
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

  #make(Consumer: typeof LogConsumer, { name, options }: FoundHandler): LogConsumer {
    const { connection, stream, defaultStream, partitions, shutdownTimeoutMs } = this.#parts.exporter.options;
    const given = defined(options);
    const { stream: named = defaultStream } = given;
    if (typeof stream === 'function' && given.stream === undefined) throw streamless(name);
    // Where the application names the streams by a function, any may be one of its own.
    const isOwn = typeof stream === 'function' || named === stream;
    const own = {
      connection,
      stream: defaultStream,
      ...(isOwn ? { partitions: partitions.count } : {}),
      shutdownTimeoutMs,
    };
    try {
      return new Consumer({ ...own, ...given });
    } catch (error) {
      if (!isRedisLogError(error)) throw error;
      throw new RedisLogError(error.code, `@OnLogs on ${name}: ${error.message}`, { subject: error.subject });
    }
  }
}

function streamless(name: string): RedisLogError {
  const text =
    `@OnLogs on ${name}: the module's streams are named by a function, so none of them is meant by default. ` +
    `Give it the one to read: @OnLogs({ stream: 'logs:shop:error', ... }).`;
  return new RedisLogError('REDIS_LOG_INVALID_OPTIONS', text, { subject: 'stream' });
}
