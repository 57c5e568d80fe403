import { createDiagnostics, describeError, type Diagnostics } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import { type Runtime, systemRuntime } from '../pipeline/runtime.js';
import { correctEntriesRead } from '../redis/monitor-actions.js';
import { MonitorConnection, problemOf } from '../redis/monitor-connection.js';
import { AlertDesk } from './alerts/alert-desk.js';
import type { Alert } from './alerts/types.js';
import { CountBudget } from './count-budget.js';
import { type CleanedConsumer, cleanGroup } from './janitor.js';
import { type Metrics, openMetrics } from './metrics.js';
import { resolveMonitorOptions, type ResolvedMonitorOptions, type StreamMonitorOptions } from './options.js';
import { SampleQueue } from './sample-queue.js';
import { ServerWatch } from './server-watch.js';
import { StreamWatch } from './stream-watch.js';
import type { MonitorSample } from './types.js';

/** Time, chance, and where things are told; for tests. */
export interface MonitorSurroundings {
  readonly runtime?: Runtime;
  readonly diagnostics?: Diagnostics;
  readonly fetch?: typeof globalThis.fetch;
}

export interface HealedGroup {
  readonly stream: string;
  readonly group: string;
  readonly entriesRead: number;
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
  readonly #connection: MonitorConnection;
  readonly #watches: readonly StreamWatch[];
  readonly #servers: ServerWatch;
  readonly #alerts: AlertDesk | undefined;
  readonly #listeners = new Set<(sample: MonitorSample) => unknown>();
  readonly #queues = new Set<SampleQueue>();
  #last: MonitorSample | undefined;
  #sampling: Promise<MonitorSample> | undefined;
  #cancelTimer: (() => void) | undefined;
  #isStarted = false;
  #isStopped = false;
  #cleanedAtMs: number | undefined;
  #metrics: Promise<Metrics | undefined> | undefined;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
  constructor(options: StreamMonitorOptions = {}, around: MonitorSurroundings = {}) {
    const resolved = resolveMonitorOptions(options);
    const { runtime = systemRuntime, diagnostics = createDiagnostics(), fetch = globalThis.fetch } = around;
    this.#options = resolved;
    this.#runtime = runtime;
    this.#diagnostics = diagnostics;
    const parts = { timeoutMs: resolved.timeoutMs, runtime, diagnostics };
    this.#connection = new MonitorConnection(resolved.connection, parts);
    this.#watches = resolved.streams.map((stream) => new StreamWatch(stream, this.#connection, resolved));
    this.#servers = new ServerWatch(this.#connection);
    if (resolved.alerts !== false) {
      this.#alerts = new AlertDesk(resolved.alerts, { runtime, diagnostics, fetch });
    }
  }

  get intervalMs(): number {
    return this.#options.intervalMs;
  }

  /** The sample before; undefined until there was one. */
  get last(): MonitorSample | undefined {
    return this.#last;
  }

  /** The alerts that are firing. */
  get firing(): readonly Alert[] {
    return this.#alerts?.firing ?? [];
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
    this.#connection.close();
    await this.#sampling?.catch(() => undefined);
    for (const queue of this.#queues) queue.end();
    this.#alerts?.close();
    this.#listeners.clear();
    (await this.#metrics)?.close();
  }

  /** Calls the listener with every sample. Returns the function that ends that. */
  onSample(listener: (sample: MonitorSample) => unknown): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls the listener with every alert; needs the option `alerts`. Returns the function that ends that. */
  onAlert(listener: (alert: Alert) => unknown): () => void {
    return this.#alerts?.listen(listener) ?? (() => {});
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
   * live one has taken over what they held. Needs scripts and the rights of `admin`.
   * @throws what Redis answers.
   */
  async cleanUp(options: { readonly idleMs?: number } = {}): Promise<CleanedConsumer[]> {
    const { cleanUp } = this.#options;
    const idleMs = options.idleMs ?? (cleanUp === false ? FALLBACK_IDLE_MS : cleanUp.idleMs);
    return this.#clean(await this.sample(), idleMs);
  }

  /**
   * Corrects Redis' own count of what groups read (`entries-read`, from which it takes their lag) wherever it is wrong
   * and the truth is known, so that KEDA, redis_exporter and others see the lag that this monitor sees.
   * @throws what Redis answers.
   */
  async heal(): Promise<HealedGroup[]> {
    await this.sample();
    return this.#heal();
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
    this.#cancelTimer = this.#runtime.after(delayMs, () => void this.#tick());
  }

  async #take(): Promise<MonitorSample> {
    const { countLimit, metrics } = this.#options;
    if (metrics) this.#metrics ??= openMetrics(() => this.#last);
    (await this.#metrics)?.look();
    // Where there is no connection each stream says so itself.
    await this.#connection.ready().catch(() => undefined);
    const at = new Date();
    const groups = this.#watches.reduce((sum, watch) => sum + watch.groupCount, 0);
    const context = { at, nowMs: this.#runtime.now(), budget: new CountBudget(countLimit, groups) };
    const [streams, servers] = await Promise.all([
      Promise.all(this.#watches.map((watch) => watch.sample(context))),
      this.#servers.sample(),
    ]);
    if (this.#isStopped) throw stoppedError();
    const sample = { at, streams, servers };
    this.#last = sample;
    this.#publish(sample);
    await this.#upkeep(sample);
    return sample;
  }

  #publish(sample: MonitorSample): void {
    this.#alerts?.observe(sample);
    for (const queue of this.#queues) queue.push(sample);
    for (const listener of this.#listeners) void this.#call(listener, sample);
  }

  async #call(listener: (sample: MonitorSample) => unknown, sample: MonitorSample): Promise<void> {
    try {
      await listener(sample);
    } catch (error) {
      this.#diagnostics.error('monitor:listener', `A listener of samples threw: ${describeError(error)}.`);
    }
  }

  async #upkeep(sample: MonitorSample): Promise<void> {
    const { heal, cleanUp } = this.#options;
    try {
      if (heal) await this.#heal();
      if (cleanUp === false) return;
      const nowMs = this.#runtime.now();
      if (nowMs - (this.#cleanedAtMs ?? -Infinity) < cleanUp.intervalMs) return;
      this.#cleanedAtMs = nowMs;
      const cleaned = await this.#clean(sample, cleanUp.idleMs);
      const deleted = cleaned.filter(({ outcome }) => outcome === 'deleted');
      if (deleted.length === 0) return;
      const moved = deleted.reduce((sum, each) => sum + each.moved, 0);
      const text = `Removed ${deleted.length} idle consumers; live ones took over ${moved} entries.`;
      this.#diagnostics.info('monitor:clean', text);
    } catch (error) {
      const text = `The monitor may not tidy up: ${problemOf(error)}. Allow it with aclRules({ role: 'admin' }), or turn off heal and cleanUp.`;
      this.#diagnostics.warn('monitor:upkeep', text);
    }
  }

  async #clean(sample: MonitorSample, idleMs: number): Promise<CleanedConsumer[]> {
    const cleaned: CleanedConsumer[] = [];
    for (const { problem, groups } of sample.streams) {
      if (problem !== undefined) continue;
      for (const group of groups) cleaned.push(...(await cleanGroup(this.#connection, group, idleMs)));
    }
    return cleaned;
  }

  async #heal(): Promise<HealedGroup[]> {
    const healed: HealedGroup[] = [];
    for (const watch of this.#watches) {
      const { stream } = watch;
      for (const correction of watch.corrections) {
        if (!(await correctEntriesRead(this.#connection, { stream, ...correction }))) continue;
        watch.corrected(correction.group);
        healed.push({ stream, group: correction.group, entriesRead: correction.entriesRead });
      }
    }
    return healed;
  }
}

function stoppedError(): RedisLogError {
  return new RedisLogError('REDIS_LOG_CLOSED', 'The monitor was stopped. Make a new StreamMonitor.');
}
