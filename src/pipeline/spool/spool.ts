import { resolve } from 'node:path';
import { AdoptedDirectory, openAdopted } from './adopted-spool.js';
import { abandonHome, type Home, makeHome, OWNER_FILE, prepareRoot } from './home.js';
import { makeHomeNow } from './home-now.js';
import { Orphans, TOUCH_EVERY_MS } from './orphans.js';
import { systemProcesses } from './processes.js';
import { Quarantine } from './quarantine.js';
import { errorCode, systemFiles } from './spool-files.js';
import { SpoolStore, storedEntry } from './store.js';
import type { AdoptedSpool, SpoolBatch, SpoolContext, SpoolEntry, SpoolOptions } from './types.js';
import { SpoolWriter } from './writer.js';

export type {
  AdoptedEntry,
  AdoptedSpool,
  SpoolBatch,
  SpoolEntry,
  SpoolOptions,
  SpoolProblem,
} from './types.js';

const SEGMENT_BYTES = 8_388_608;
/** So that a small spool does not end up as one segment that can never go. */
const LEAST_SEGMENTS = 4;
const SYNC_MS = 50;
/** Owner, notes and directory of each process, on top of the segments. */
const OVERHEAD_BYTES = 16_384;

/**
 * A disk buffer of one process: batches go to append-only segments before they are sent, and go away when they are
 * acknowledged. What a process leaves when it dies is adopted by the next one. No method but {@link Spool.open}
 * throws or rejects: a disk in trouble is told to `problem`, and never hurts the application.
 *
 * When an append has resolved, its batch survives the end of the process in any form; `syncMs` later, and what
 * fdatasync takes, it survives a power cut.
 */
export class Spool {
  readonly #context: SpoolContext;
  readonly #home: Home;
  readonly #store: SpoolStore;
  readonly #writer: SpoolWriter;
  readonly #quarantine: Quarantine;
  readonly #orphans: Orphans;
  readonly #adopted = new Map<string, AdoptedDirectory>();
  #adopting: Promise<unknown> = Promise.resolve();
  #cancelTouch: () => void = () => {};
  #isLost = false;
  #closed: Promise<void> | undefined;

  private constructor(context: SpoolContext, home: Home, options: SpoolOptions) {
    this.#context = context;
    this.#home = home;
    this.#quarantine = new Quarantine(context);
    this.#store = new SpoolStore(home, { context, quarantine: this.#quarantine });
    this.#orphans = new Orphans(context, home, options.processes ?? systemProcesses());
    const { maxBytes, segmentBytes = SEGMENT_BYTES, syncMs = SYNC_MS } = options;
    this.#writer = new SpoolWriter({
      context,
      store: this.#store,
      syncMs,
      segmentBytes: Math.min(segmentBytes, Math.floor(maxBytes / LEAST_SEGMENTS)),
      room: () => maxBytes - this.bytes - OVERHEAD_BYTES * (1 + this.#adopted.size),
    });
    this.#touchLater();
  }

  /**
   * Makes the directory where it is missing, and one of our own in it. Rejects with a RedisLogError
   * (`REDIS_LOG_INVALID_OPTIONS`, subject `spool.directory`) when the directory cannot be used.
   */
  static async open(options: SpoolOptions): Promise<Spool> {
    const context = contextOf(options);
    await prepareRoot(context);
    const home = await makeHome(context, (options.processes ?? systemProcesses()).self);
    return new Spool(context, home, options);
  }

  /** The same at once, on the system's own files, for a process that ends before `open` has resolved. */
  static openNow(options: SpoolOptions): Spool {
    const context = contextOf(options);
    const home = makeHomeNow(context, (options.processes ?? systemProcesses()).self);
    return new Spool(context, home, options);
  }

  /** Bytes of all segments on disk, with adopted ones. */
  get bytes(): number {
    let bytes = this.#store.bytes;
    for (const { store } of this.#adopted.values()) bytes += store.bytes;
    return bytes;
  }

  /** Batches not yet released, with adopted ones. */
  get entries(): number {
    let entries = this.#store.entries;
    for (const { store } of this.#adopted.values()) entries += store.entries;
    return entries;
  }

  /**
   * Resolves in the order of the calls, when the write has returned. `undefined`: it is not on disk, and `problem`
   * was told why. The batches of one tick go in one write.
   */
  append(batch: SpoolBatch): Promise<SpoolEntry | undefined> {
    return this.#isUsable() ? this.#writer.append(batch) : Promise.resolve(undefined);
  }

  /** For the end of the process: writes what waits and then this, and returns when it is on the disk itself. */
  appendSync(batch: SpoolBatch): SpoolEntry | undefined {
    return this.appendAllSync([batch])[0];
  }

  /** As {@link Spool.appendSync} for several batches, with one write and one sync for each few megabytes. */
  appendAllSync(batches: readonly SpoolBatch[]): readonly (SpoolEntry | undefined)[] {
    return this.#isUsable() ? this.#writer.appendNow(batches) : batches.map(() => undefined);
  }

  #isUsable(): boolean {
    if (this.#isLost) this.#context.problem('owner', LOST);
    return !this.#isLost;
  }

  /**
   * The batch as it was appended. `undefined` when it cannot be read (any more): `problem` was told, and what there
   * was of it is put aside. The entry is still to be released, unless the next process should try again.
   */
  async read(entry: SpoolEntry): Promise<SpoolBatch | undefined> {
    const stored = storedEntry(entry);
    return stored === undefined ? undefined : stored.segment.store.read(stored);
  }

  /** The batch is needed no more. A second time does nothing. */
  release(entry: SpoolEntry): void {
    const stored = storedEntry(entry);
    if (stored !== undefined) stored.segment.store.release(stored);
  }

  /**
   * Takes over what dead processes left, each directory by exactly one process, and resolves with those that hold
   * something, each once. To be called at the start and again every minute or so: whether the owner of a directory
   * in another container is dead shows only by its silence.
   */
  adopt(): Promise<readonly AdoptedSpool[]> {
    const adopted = this.#adopting.then(() => this.#adopt());
    this.#adopting = adopted;
    return adopted;
  }

  async #adopt(): Promise<readonly AdoptedSpool[]> {
    const found: AdoptedSpool[] = [];
    if (this.#closed !== undefined || this.#isLost) return found;
    try {
      for (const home of await this.#orphans.take()) {
        if (this.#adopted.has(home.name)) continue;
        const onGone = (): unknown => this.#adopted.delete(home.name);
        const adopted = await openAdopted(home, {
          context: this.#context,
          quarantine: this.#quarantine,
          onGone,
        });
        if (!adopted.store.isGone) this.#adopted.set(home.name, adopted);
        if (adopted.entries.length > 0 || adopted.lost > 0) found.push(adopted);
      }
    } catch (error) {
      const code = errorCode(error);
      this.#context.problem('adopt', `What earlier processes left in the spool cannot be read (${code}).`);
    }
    return found;
  }

  #touchLater(): void {
    this.#cancelTouch = this.#context.runtime.after(TOUCH_EVERY_MS, () => {
      this.#touchLater();
      void this.#touch();
    });
  }

  /** Shows others that we live, and ourselves that nobody thinks we do not. */
  async #touch(): Promise<void> {
    try {
      await this.#context.files.touch(`${this.#home.path}/${OWNER_FILE}`);
    } catch (error) {
      if (errorCode(error) !== 'ENOENT' || this.#closed !== undefined) return;
      this.#isLost = true;
      this.#context.problem('owner', LOST);
    }
  }

  /**
   * Ends all work, with everything appended on the disk itself. Removes our directory when nothing in it is needed,
   * else leaves it for the next process, or the next spool of this one, to adopt.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#cancelTouch();
    await this.#writer.close();
    await this.#adopting;
    for (const adopted of this.#adopted.values()) await adopted.close();
    await this.#store.close();
    try {
      const { path } = this.#home;
      if ((await this.#context.files.facts(path)) !== undefined) await abandonHome(this.#context, this.#home);
    } catch {
      // Then it is adopted when this process is gone.
    }
  }
}

const LOST =
  'Our directory in the spool was taken away: records are kept in memory alone. Restart to spool again.';

function contextOf({
  files = systemFiles,
  runtime,
  problem,
  directory,
  target = '',
}: SpoolOptions): SpoolContext {
  return { files, runtime, root: resolve(directory), target, problem: safe(problem) };
}

/** Nobody's mistake in telling a problem becomes a problem of the spool's. */
function safe(problem: SpoolOptions['problem']): SpoolOptions['problem'] {
  return (code, text) => {
    try {
      problem(code, text);
    } catch {
      // There is nobody else to tell.
    }
  };
}
