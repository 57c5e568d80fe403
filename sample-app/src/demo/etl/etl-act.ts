import { StreamMonitor } from 'nestjs-redis-log/monitor';
import { ETL_GROUP } from '../../etl/error-etl.js';
import { ErrorStore } from '../../etl/error-store.js';
import type { Clock } from '../clock.js';
import { pause, waitUntil } from '../pause.js';
import type { Timeline } from '../timeline.js';
import type { EtlFacts } from './etl-account.js';
import { type EtlPlace, EtlWorker } from './etl-worker.js';

const CATCH_UP_TIMEOUT_MS = 15_000;
const FIRST_ERROR_TIMEOUT_MS = 60_000;

/** A worker that keeps the errors of the shop in SQLite, is killed while it works, and loses nothing by that. */
export class EtlAct {
  readonly #place: EtlPlace;
  readonly #worker: EtlWorker;
  readonly #store: ErrorStore;
  readonly #clock: Clock;

  constructor(place: EtlPlace, clock: Clock) {
    this.#place = place;
    this.#clock = clock;
    this.#worker = new EtlWorker(place);
    this.#store = new ErrorStore(place.file);
  }

  start(): void {
    this.#worker.start();
  }

  async run({ workerLivesMs, workerIsGoneMs }: Timeline, signal: AbortSignal): Promise<void> {
    await pause(workerLivesMs, signal);
    const hasErrors = (): boolean => this.#store.count() > 0;
    if (!(await waitUntil(hasErrors, { timeoutMs: FIRST_ERROR_TIMEOUT_MS, signal }))) return;
    await this.#worker.kill();
    const stored = this.#store.count();
    this.#clock.tell(
      `ETL: the worker is killed (kill -9) with ${stored} errors in SQLite. The shop goes on.`,
    );
    await pause(workerIsGoneMs, signal);
    this.#worker.start();
    this.#clock.tell('ETL: a new worker starts, takes over what the dead one held, and reads on.');
  }

  /** To be called when nothing is logged any more: waits until the worker has it all, and stops it. */
  async finish(): Promise<EtlFacts> {
    this.#worker.start();
    const caughtUp = await this.#caughtUp();
    await this.#worker.stop();
    const { starts, kills } = this.#worker;
    return { group: ETL_GROUP, starts, kills, caughtUp, rows: this.#store.list() };
  }

  /** Without waiting for anything that is still to be read. */
  async close(): Promise<void> {
    await this.#worker.stop();
    this.#store.close();
  }

  async #caughtUp(): Promise<boolean> {
    await using monitor = new StreamMonitor({ streams: this.#place.source, groups: [ETL_GROUP] });
    const hasAll = async (): Promise<boolean> => {
      const { streams } = await monitor.sample();
      const group = streams[0]?.groups[0];
      return group?.lag.kind === 'exact' && group.lag.entries === 0 && group.pending === 0;
    };
    const never = new AbortController().signal;
    return await waitUntil(hasAll, { timeoutMs: CATCH_UP_TIMEOUT_MS, signal: never });
  }
}
