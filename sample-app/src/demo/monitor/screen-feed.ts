import { LogConsumer } from 'nestjs-redis-log/consumer';
import { RedisLogWriter } from 'nestjs-redis-log/core';
import { say } from '../report.js';

export interface FeedOptions {
  readonly from: string;
  readonly to: string;
  /** The target keeps so many entries. */
  readonly keeps: number;
}

/**
 * Copies the records of the shop into a small stream: what a screen shows need not be kept, and what the shop logs
 * is not trimmed because a screen hangs.
 */
export class ScreenFeed {
  readonly #consumer: LogConsumer;
  readonly #writer: RedisLogWriter;
  readonly #ended: Promise<void>;

  constructor({ from, to, keeps }: FeedOptions) {
    this.#writer = new RedisLogWriter({ stream: to, retention: { maxLength: keeps } });
    this.#consumer = new LogConsumer({ stream: from, group: 'screen-feed', from: 'now', maxWaitMs: 50 });
    const copied = this.#consumer.run((batch) => {
      for (const { record } of batch) {
        const { hrTime, severityNumber = 9, severityText = '', body, attributes } = record;
        const scope = record.instrumentationScope;
        this.#writer.emit({ timestamp: hrTime, severityNumber, severityText, body, attributes, scope });
      }
    });
    this.#ended = copied.catch((error: unknown) => say(`The feed of the screen failed: ${String(error)}`));
  }

  async close(): Promise<void> {
    await this.#consumer.close();
    await this.#ended;
    await this.#writer.close();
  }
}
