import { type Alert, defaultAlertRules, type ErrorSample } from 'nestjs-redis-log/monitor';
import { aclRules } from 'nestjs-redis-log/core';
import { onTestFinished, vi } from 'vitest';
import type { SharedRedis } from '../../support/use-redis-server.js';
import { type Counting, entryOf, startCounting, STREAM } from '../insights/support.js';
import { streamOf, TestClock, watching } from './support.js';

export const MINUTE = 60_000;
/** Of a span of the counting, by default. */
const SPAN_MS = 5 * MINUTE;

interface Records {
  readonly times?: number;
  readonly severity?: number;
  readonly service?: string;
}

/**
 * A stream whose records are counted and watched, in a time of its own. The user may not ask Redis for the time, so the
 * monitor goes by the clock of this process, which the test sets; it begins in the past, because Redis counts no records
 * of the future.
 */
export class ErrorStory implements AsyncDisposable {
  /** The first millisecond of a span. */
  ms = Math.floor((Date.now() - 120 * MINUTE) / SPAN_MS) * SPAN_MS;
  readonly told: Alert[] = [];
  readonly #redis: SharedRedis;
  readonly #runtime = new TestClock();
  #counting: Counting;
  readonly #monitor: ReturnType<typeof watching>;
  #written = 0;
  #countedBefore = 0;

  private constructor(redis: SharedRedis, names: readonly string[]) {
    this.#redis = redis;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => this.ms);
    onTestFinished(() => clock.mockRestore());
    this.#counting = startCounting({ connection: redis.url });
    const rules = defaultAlertRules().filter(({ name }) => names.includes(name));
    this.#monitor = watching(
      `redis://viewer:secret@127.0.0.1:${redis.server.port}`,
      { streams: STREAM, alerts: { rules, notify: (alert) => this.told.push(alert) } },
      { runtime: this.#runtime },
    );
  }

  /** With these of the default rules. */
  static async begin(redis: SharedRedis, ...names: ('ErrorShare' | 'NewError')[]): Promise<ErrorStory> {
    const rules = aclRules({ role: 'viewer', stream: STREAM });
    await redis.client.call('acl', 'SETUSER', 'viewer', 'reset', 'on', '>secret', ...rules);
    return new ErrorStory(redis, names);
  }

  /** An hour and more in which one record of 20 was an error, up to 5 minutes ago. */
  async usualHour(): Promise<void> {
    const now = this.ms;
    for (this.ms = now - 75 * MINUTE; this.ms < now - 5 * MINUTE; this.ms += SPAN_MS) {
      await this.write('Order 1 was paid', { times: 19 });
      await this.write('Card of "Ann" was declined', { severity: 17 });
    }
    this.ms = now;
    await this.counted();
  }

  async write(body: string, { times = 1, severity = 9, service = 'orders' }: Records = {}): Promise<void> {
    const pipeline = this.#redis.client.pipeline();
    for (let i = 0; i < times; i++)
      pipeline.xadd(STREAM, `${this.ms}-*`, ...entryOf(body, { severity, service }));
    await pipeline.exec();
    this.#written += times;
  }

  counted(): Promise<void> {
    return this.#counting.reaches(this.#written - this.#countedBefore);
  }

  async stopCounting(): Promise<void> {
    await this.counted();
    await this.#counting[Symbol.asyncDispose]();
    this.#countedBefore = this.#written;
  }

  startCounting(): void {
    this.#counting = startCounting({ connection: this.#redis.url });
  }

  /** A sample so many minutes later, when all is counted; what was told meanwhile, as `rule state`. */
  async after(minutes: number): Promise<string[]> {
    await this.counted();
    return this.sampleAfter(minutes);
  }

  /** The same, whether it is counted or not. */
  async sampleAfter(minutes: number): Promise<string[]> {
    const before = this.told.length;
    this.ms += minutes * MINUTE;
    this.#runtime.nowMs += minutes * MINUTE;
    await this.#monitor.sample();
    return this.told.slice(before).map(({ rule, state }) => `${rule} ${state}`);
  }

  /** Of the last sample. */
  get errors(): ErrorSample | undefined {
    const { last } = this.#monitor;
    return last === undefined ? undefined : streamOf(last).errors;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#monitor.stop();
    await this.#counting[Symbol.asyncDispose]();
  }
}
