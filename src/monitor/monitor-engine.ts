import type { Diagnostics } from '../diagnostics.js';
import type { Runtime } from '../pipeline/runtime.js';
import { correctEntriesRead } from '../redis/monitor-actions.js';
import { MonitorConnection, problemOf } from '../redis/monitor-connection.js';
import { AlertDesk } from './alerts/alert-desk.js';
import type { Alert } from './alerts/types.js';
import { CountBudget } from './count-budget.js';
import { countOf } from './words.js';
import { type CleanedConsumer, cleanGroup } from './janitor.js';
import { type Metrics, openMetrics } from './metrics.js';
import type { ResolvedMonitorOptions } from './options.js';
import { ServerWatch } from './server-watch.js';
import { StreamWatch } from './stream-watch.js';
import type { HealedGroup, MonitorSample } from './types.js';

export interface MonitorParts {
  readonly options: ResolvedMonitorOptions;
  readonly runtime: Runtime;
  readonly diagnostics: Diagnostics;
  readonly fetch: typeof globalThis.fetch;
  /** Told of every sample, when its alerts are told and before upkeep. */
  sampled(sample: MonitorSample): void;
  alerted(alert: Alert): void;
  /** Whether somebody listens to alerts. */
  hears(): boolean;
}

/** What a monitor is made of once it looks: its connection, what it knows of each stream, alerts, metrics, upkeep. */
export class MonitorEngine {
  readonly #parts: MonitorParts;
  readonly #connection: MonitorConnection;
  readonly #watches: readonly StreamWatch[];
  readonly #servers: ServerWatch;
  #alerts: AlertDesk | undefined;
  #last: MonitorSample | undefined;
  #cleanedAtMs: number | undefined;
  #metrics: Promise<Metrics | undefined> | undefined;
  #isClosed = false;

  constructor(parts: MonitorParts) {
    const { options, runtime, diagnostics } = parts;
    this.#parts = parts;
    const { timeoutMs } = options;
    this.#connection = new MonitorConnection(options.connection, { timeoutMs, runtime, diagnostics });
    this.#watches = options.streams.map((stream) => new StreamWatch(stream, this.#connection, options));
    this.#servers = new ServerWatch(this.#connection);
  }

  get last(): MonitorSample | undefined {
    return this.#last;
  }

  /** The alerts that are firing. */
  get firing(): readonly Alert[] {
    return this.#alerts?.firing ?? [];
  }

  /** What cannot be read is said in the sample. Undefined where the monitor was stopped meanwhile. */
  async sample(): Promise<MonitorSample | undefined> {
    const { options, runtime } = this.#parts;
    if (options.metrics) this.#metrics ??= openMetrics(() => this.#last);
    (await this.#metrics)?.look();
    // Where there is no connection each stream says so itself.
    await this.#connection.ready().catch(() => undefined);
    const at = new Date();
    const groups = this.#watches.reduce((sum, watch) => sum + watch.groupCount, 0);
    const context = { at, nowMs: runtime.now(), budget: new CountBudget(options.countLimit, groups) };
    const [streams, servers] = await Promise.all([
      Promise.all(this.#watches.map((watch) => watch.sample(context))),
      this.#servers.sample(),
    ]);
    if (this.#isClosed) return undefined;
    const sample = { at, streams, servers };
    this.#last = sample;
    this.#desk()?.observe(sample);
    this.#parts.sampled(sample);
    await this.#upkeep(sample);
    return sample;
  }

  /** Removes consumers that have been idle for so long, after a live one has taken over what they held. */
  async clean(sample: MonitorSample, idleMs: number): Promise<CleanedConsumer[]> {
    const cleaned: CleanedConsumer[] = [];
    for (const { problem, groups } of sample.streams) {
      if (problem !== undefined) continue;
      for (const group of groups) cleaned.push(...(await cleanGroup(this.#connection, group, idleMs)));
    }
    return cleaned;
  }

  /** Corrects Redis' own count of what groups read, where it is wrong and the last sample knows the truth. */
  async heal(): Promise<HealedGroup[]> {
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

  /** Ends the connection at once; what is being read settles then. */
  disconnect(): void {
    this.#isClosed = true;
    this.#connection.close();
  }

  async close(): Promise<void> {
    this.#alerts?.close();
    (await this.#metrics)?.close();
  }

  #desk(): AlertDesk | undefined {
    const { options, hears, alerted } = this.#parts;
    const isWanted = options.alerts === undefined ? hears() : options.alerts !== false;
    if (this.#alerts !== undefined || !isWanted) return this.#alerts;
    this.#alerts = new AlertDesk(options.alerts || { log: false }, this.#parts);
    this.#alerts.listen(alerted);
    return this.#alerts;
  }

  async #upkeep(sample: MonitorSample): Promise<void> {
    const { options, runtime, diagnostics } = this.#parts;
    const { heal, cleanUp } = options;
    try {
      if (heal) await this.heal();
      if (cleanUp === false) return;
      const nowMs = runtime.now();
      if (nowMs - (this.#cleanedAtMs ?? -Infinity) < cleanUp.intervalMs) return;
      this.#cleanedAtMs = nowMs;
      const cleaned = await this.clean(sample, cleanUp.idleMs);
      const deleted = cleaned.filter(({ outcome }) => outcome === 'deleted');
      if (deleted.length === 0) return;
      const moved = deleted.reduce((sum, each) => sum + each.moved, 0);
      const consumers = countOf(deleted.length, 'idle consumer');
      const text = `Removed ${consumers}; live ones took over ${countOf(moved, 'entry', 'entries')}.`;
      diagnostics.info('monitor:clean', text);
    } catch (error) {
      const text = `The monitor may not tidy up: ${problemOf(error)}. Allow it with aclRules({ role: 'admin' }), or turn off heal and cleanUp.`;
      diagnostics.warn('monitor:upkeep', text);
    }
  }
}
