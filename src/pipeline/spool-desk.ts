import type { BatchLimits } from './batch.js';
import { type LeftBatches, sortLeft } from './left-batches.js';
import type { AdoptedSpool, Spool } from './spool/spool.js';
import type { Runtime } from './runtime.js';
import { Spooler } from './spooler.js';
import type { QueueTotals } from './stream-queue.js';

/** A directory in another container shows only by its silence that its owner is dead; so we look again. */
const ADOPT_MS = 60_000;

/** A disk that was full is asked again. */
const OPEN_AGAIN_MS = 5_000;

/** The way to the disk. */
export interface SpoolOpening {
  /** `undefined`: it could not be opened, which has been told. `later`: nor now, but it is worth another try. */
  open(): Promise<Spool | 'later' | undefined>;
  /** Opens another one at once, for a process that ends before; `undefined`: it could not be, which has been told. */
  openNow(): Spool | undefined;
}

export interface DeskEvents {
  /** So many records that earlier processes left were lost to damage. */
  lost(count: number): void;
  /** What earlier processes left. */
  found(left: readonly LeftBatches[]): void;
  /** The disk is there, or will not be. */
  opened(): void;
  /** What earlier processes left has been found. */
  started(): void;
}

/** Opens the spool of a pipeline, hands it to the outboxes, and looks for what dead processes left. */
export class SpoolDesk {
  readonly spooler: Spooler;
  readonly #open: SpoolOpening['open'];
  #opening: Promise<Spool | 'later' | undefined>;
  #openedNow: Spool | undefined;
  readonly #runtime: Runtime;
  #isClosed = false;

  constructor(
    { open, openNow }: SpoolOpening,
    { runtime, queue, staged }: { runtime: Runtime; queue: BatchLimits; staged: QueueTotals },
    events: DeskEvents,
  ) {
    this.#open = open;
    this.#opening = open();
    this.spooler = new Spooler({
      now: () => runtime.now(),
      queue,
      staged,
      openNow: () => (this.#openedNow = openNow()),
    });
    this.#runtime = runtime;
    void this.#start(events);
  }

  /** Puts everything on the disk itself, and leaves to the next process what is not delivered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const spool = await this.#opening;
    if (spool !== 'later') await spool?.close();
    await this.#openedNow?.close();
  }

  async #start(events: DeskEvents): Promise<void> {
    const spool = await this.#opening;
    // What was opened in haste has taken over.
    if (this.#openedNow !== undefined) return;
    if (spool === undefined || spool === 'later') {
      this.spooler.start(undefined);
      events.opened();
      events.started();
      if (spool === 'later') this.#tryAgain(events);
      return;
    }
    this.spooler.start(spool);
    events.opened();
    await this.#adopt(spool, events);
    if (this.#isClosed) return;
    events.started();
    this.#lookAgain(spool, events);
  }

  #tryAgain(events: DeskEvents): void {
    this.#runtime.after(OPEN_AGAIN_MS, () => {
      if (this.#isClosed) return;
      this.#opening = this.#open();
      void this.#start(events);
    });
  }

  async #adopt(spool: Spool, events: DeskEvents): Promise<void> {
    const adopted: readonly AdoptedSpool[] = await spool.adopt();
    const left = await sortLeft(adopted);
    if (this.#isClosed) return;
    const lost = adopted.reduce((sum, each) => sum + each.lost, 0);
    if (lost > 0) events.lost(lost);
    if (left.length > 0) events.found(left);
  }

  #lookAgain(spool: Spool, events: DeskEvents): void {
    this.#runtime.after(ADOPT_MS, () => {
      if (this.#isClosed) return;
      this.#lookAgain(spool, events);
      void this.#adopt(spool, events);
    });
  }
}
