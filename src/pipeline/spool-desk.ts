import { type LeftBatches, sortLeft } from './left-batches.js';
import type { AdoptedSpool, Spool } from './spool/spool.js';
import { Spooler } from './spooler.js';

/** A directory in another container shows only by its silence that its owner is dead; so we look again. */
const ADOPT_MS = 60_000;

/** The way to the disk. */
export interface SpoolOpening {
  /** `undefined` inside: it could not be opened, which has been told. */
  readonly opening: Promise<Spool | undefined>;
  /** Opens another one at once, for a process that ends before; `undefined`: it could not be, which has been told. */
  openNow(): Spool | undefined;
}

export interface DeskEvents {
  /** What earlier processes left, and whether it was found at the start. */
  found(left: readonly LeftBatches[]): void;
  /** The disk is there, or will not be. */
  opened(): void;
  /** What earlier processes left has been found. */
  started(): void;
}

/** Opens the spool of a pipeline, hands it to the outboxes, and looks for what dead processes left. */
export class SpoolDesk {
  readonly spooler: Spooler;
  readonly #opening: Promise<Spool | undefined>;
  #openedNow: Spool | undefined;
  readonly #after: (delayMs: number, callback: () => void) => () => void;
  #isClosed = false;

  constructor(
    { opening, openNow }: SpoolOpening,
    after: (delayMs: number, callback: () => void) => () => void,
    events: DeskEvents,
  ) {
    this.#opening = opening;
    this.spooler = new Spooler(() => (this.#openedNow = openNow()));
    this.#after = after;
    void this.#start(events);
  }

  /** Puts everything on the disk itself, and leaves to the next process what is not delivered. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const spool = await this.#opening;
    await spool?.close();
    await this.#openedNow?.close();
  }

  async #start(events: DeskEvents): Promise<void> {
    const spool = await this.#opening;
    // What was opened in haste has taken over.
    if (this.#openedNow !== undefined) return;
    this.spooler.start(spool);
    events.opened();
    const left = spool === undefined ? [] : await this.#adopt(spool);
    if (this.#isClosed) return;
    if (left.length > 0) events.found(left);
    events.started();
    if (spool !== undefined) this.#lookAgain(spool, events);
  }

  async #adopt(spool: Spool): Promise<LeftBatches[]> {
    const adopted: readonly AdoptedSpool[] = await spool.adopt();
    return sortLeft(adopted);
  }

  #lookAgain(spool: Spool, events: DeskEvents): void {
    this.#after(ADOPT_MS, () => {
      if (this.#isClosed) return;
      this.#lookAgain(spool, events);
      void this.#adopt(spool).then((left) => {
        if (left.length > 0 && !this.#isClosed) events.found(left);
      });
    });
  }
}
