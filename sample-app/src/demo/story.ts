import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clock } from './clock.js';
import type { DemoSettings } from './environment.js';
import type { EtlFacts } from './etl/etl-account.js';
import { EtlAct } from './etl/etl-act.js';
import type { MonitorAccount } from './monitor/group-story.js';
import { MonitorAct } from './monitor/monitor-act.js';
import { pause } from './pause.js';
import { type Timeline, timelineFor } from './timeline.js';

/** What happens beside the shop, while it serves: to a worker that keeps its errors, and to a screen. */
export class Story {
  readonly #settings: DemoSettings;
  readonly #timeline: Timeline;
  readonly #directory = mkdtempSync(join(tmpdir(), 'redis-log-demo-'));
  readonly #clock = new Clock();
  readonly #etl: EtlAct;
  #monitor: MonitorAct | undefined;
  #isTalking = false;

  constructor(settings: DemoSettings, seconds: number) {
    this.#settings = settings;
    this.#timeline = timelineFor(seconds);
    const { stream: source, etlLogStream: logStream } = settings;
    const file = join(this.#directory, 'errors.db');
    this.#etl = new EtlAct({ source, logStream, file }, this.#clock);
  }

  /** While it tells something, the records had better not be printed between. */
  get isTalking(): boolean {
    return this.#isTalking;
  }

  get monitor(): MonitorAccount | null {
    return this.#monitor?.account ?? null;
  }

  /** Resolves when all is told, or soon after the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    this.#etl.start();
    await pause(this.#timeline.openingMs, signal);
    if (signal.aborted) return;
    this.#isTalking = true;
    if (process.stdout.isTTY)
      this.#clock.tell('Now to the worker and the screen. Every record is printed again after that.');
    const { stream: source, screenStream: stream } = this.#settings;
    this.#monitor = new MonitorAct({ source, stream, timeline: this.#timeline, clock: this.#clock });
    await Promise.all([this.#etl.run(this.#timeline, signal), this.#monitor.run(signal)]);
    await Promise.all([this.#monitor.close(), pause(this.#timeline.readingMs, signal)]);
    this.#isTalking = false;
  }

  /** To be called when the shop has closed: waits until the worker has read everything. */
  finish(): Promise<EtlFacts> {
    return this.#etl.finish();
  }

  async close(): Promise<void> {
    try {
      await Promise.all([this.#monitor?.close(), this.#etl.close()]);
    } finally {
      rmSync(this.#directory, { recursive: true, force: true });
    }
  }
}
