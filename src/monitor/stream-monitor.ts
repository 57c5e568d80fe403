import { createDiagnostics, describeError, type Diagnostics } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { type Runtime, systemRuntime } from '../pipeline/runtime.js';
import type { Alert } from './alerts/types.js';
import type { CleanedConsumer } from './janitor.js';
import type { MonitorEngine } from './monitor-engine.js';
import {
  checkCleanUpNow,
  resolveMonitorOptions,
  type ResolvedMonitorOptions,
  type StreamMonitorOptions,
} from './options.js';
import { SampleQueue } from './sample-queue.js';
import type { HealedGroup, MonitorSample } from './types.js';

/** Time, chance, and where things are told; for tests. */
export interface MonitorSurroundings {
  readonly runtime?: Runtime;
  readonly diagnostics?: Diagnostics;
  readonly fetch?: typeof globalThis.fetch;
}

const FALLBACK_IDLE_MS = 3_600_000;

/**
 * Watches streams and their consumer groups: how far each group is behind in entries and in time, what is pending, what
 * was lost, and what to do about it. A sample costs the server one command per stream and little more; lags that Redis
 * cannot tell are counted within `countLimit`. Connects with the first sample.
 *
 * @example
 * await using monitor = new StreamMonitor({ streams: 'logs:shop' });
 * for await (const sample of monitor) console.log(renderTable(sample));
 */
export class StreamMonitor implements AsyncDisposable {
  readonly #options: ResolvedMonitorOptions;
  readonly #runtime: Runtime;
  readonly #diagnostics: Diagnostics;
  readonly #fetch: typeof globalThis.fetch;
  readonly #sampleListeners = new Set<(sample: MonitorSample) => unknown>();
  readonly #alertListeners = new Set<(alert: Alert) => unknown>();
  readonly #queues = new Set<SampleQueue>();
  /** Loaded by the first sample, so that an application that only might look does not wait for it at its start. */
  #loading: Promise<MonitorEngine> | undefined;
  #engine: MonitorEngine | undefined;
  #sampling: Promise<MonitorSample> | undefined;
  #cancelTimer: (() => void) | undefined;
  #isStarted = false;
  #isStopped = false;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options: StreamMonitorOptions = {}, around: MonitorSurroundings = {}) {
    this.#options = resolveMonitorOptions(options);
    const { runtime = systemRuntime, diagnostics = createDiagnostics(), fetch = globalThis.fetch } = around;
    this.#runtime = runtime;
    this.#diagnostics = diagnostics;
    this.#fetch = fetch;
  }

  get intervalMs(): number {
    return this.#options.intervalMs;
  }

  /** The sample before; undefined until there was one. */
  get last(): MonitorSample | undefined {
    return this.#engine?.last;
  }

  /** The alerts that are firing. */
  get firing(): readonly Alert[] {
    return this.#engine?.firing ?? [];
  }

  /**
   * Looks now. What cannot be read is said in the sample (`problem`), so this rejects only once the monitor is stopped
   * (`REDIS_LOG_CLOSED`). A second call meanwhile gets the same sample.
   */
  sample(): Promise<MonitorSample> {
    if (this.#isStopped) return Promise.reject(stoppedError());
    this.#sampling ??= this.#take().finally(() => {
      this.#sampling = undefined;
    });
    return this.#sampling;
  }

  /** Takes a sample now and then every `intervalMs`, until `stop()`. Never keeps the process alive. */
  start(): this {
    if (this.#isStopped) throw stoppedError();
    if (this.#isStarted) return this;
    this.#isStarted = true;
    void this.#tick();
    return this;
  }

  /** Ends sampling and the connection, for good. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancelTimer?.();
    this.#engine?.disconnect();
    await this.#sampling?.catch(() => undefined);
    for (const queue of this.#queues) queue.end();
    this.#sampleListeners.clear();
    this.#alertListeners.clear();
    await this.#engine?.close();
  }

  /** Calls the listener with every sample. Returns the function that ends that. */
  onSample(listener: (sample: MonitorSample) => unknown): () => void {
    this.#sampleListeners.add(listener);
    return () => this.#sampleListeners.delete(listener);
  }

  /**
   * Calls the listener with every alert: by the rules of the option `alerts`, or by the default ones where that is left
   * out; never with `alerts: false`. Returns the function that ends that.
   */
  onAlert(listener: (alert: Alert) => unknown): () => void {
    this.#alertListeners.add(listener);
    return () => this.#alertListeners.delete(listener);
  }

  /** Starts the monitor, and gives its samples until `stop()` or `break`. A slow reader skips samples. */
  [Symbol.asyncIterator](): AsyncIterator<MonitorSample, undefined> {
    this.start();
    const queue = new SampleQueue(() => this.#queues.delete(queue));
    this.#queues.add(queue);
    return queue;
  }

  /**
   * Removes consumers that have been idle for longer than `idleMs` (default: `cleanUp.idleMs`, else one hour), after a
   * live one has taken over what they held. `idleMs`, 1 to 10^12, is to be longer than a consumer waits for entries or
   * works on them. Needs scripts and the rights of `admin`.
   * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options; what Redis answers.
   */
  async cleanUp(options: { readonly idleMs?: number } = {}): Promise<CleanedConsumer[]> {
    const { cleanUp } = this.#options;
    const given = checkCleanUpNow(options);
    const idleMs = given.idleMs ?? (cleanUp === false ? FALLBACK_IDLE_MS : cleanUp.idleMs);
    const sample = await this.sample();
    return (await this.#open()).clean(sample, idleMs);
  }

  /**
   * Corrects Redis' own count of what groups read (`entries-read`, from which it takes their lag) wherever it is wrong
   * and the truth is known, so that KEDA, redis_exporter and others see the lag that this monitor sees.
   * @throws what Redis answers.
   */
  async heal(): Promise<HealedGroup[]> {
    await this.sample();
    return (await this.#open()).heal();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #tick(): Promise<void> {
    const startedAt = this.#runtime.now();
    await this.sample().catch(() => undefined);
    if (this.#isStopped) return;
    const spent = this.#runtime.now() - startedAt;
    const delayMs = Math.max(1, this.#options.intervalMs - spent);
    // Somebody who waits for the next sample in a loop keeps the process alive; listeners do not.
    this.#cancelTimer = this.#runtime.after(delayMs, () => void this.#tick(), this.#queues.size > 0);
  }

  async #take(): Promise<MonitorSample> {
    const engine = await this.#open();
    const sample = await engine.sample();
    if (sample === undefined) throw stoppedError();
    return sample;
  }

  async #open(): Promise<MonitorEngine> {
    this.#loading ??= import('./monitor-engine.js').then(({ MonitorEngine: Engine }) => this.#make(Engine));
    const engine = await this.#loading;
    if (this.#isStopped) throw stoppedError();
    return engine;
  }

  #make(Engine: typeof MonitorEngine): MonitorEngine {
    this.#engine = new Engine({
      options: this.#options,
      runtime: this.#runtime,
      diagnostics: this.#diagnostics,
      fetch: this.#fetch,
      sampled: (sample) => this.#publish(sample),
      alerted: (alert) => {
        for (const listener of this.#alertListeners) void this.#call(listener, alert, 'alerts');
      },
      hears: () => this.#alertListeners.size > 0,
    });
    return this.#engine;
  }

  #publish(sample: MonitorSample): void {
    for (const queue of this.#queues) queue.push(sample);
    for (const listener of this.#sampleListeners) void this.#call(listener, sample, 'samples');
  }

  async #call<T>(listener: (told: T) => unknown, told: T, what: 'samples' | 'alerts'): Promise<void> {
    try {
      await listener(told);
    } catch (error) {
      this.#diagnostics.error(`monitor:${what}`, `A listener of ${what} threw: ${describeError(error)}.`);
    }
  }
}

function stoppedError(): RedisLogError {
  return new RedisLogError('REDIS_LOG_CLOSED', 'The monitor was stopped. Make a new StreamMonitor.');
}
