import { FileWindow } from './file-window.js';
import type { Home } from './home.js';
import { SEGMENT_HEADER_BYTES } from './frame.js';
import { Losses } from './losses.js';
import { NumberSet } from './number-set.js';
import type { Quarantine } from './quarantine.js';
import { type DamagedRange, type FoundFrame, scanSegment } from './scan-segment.js';
import { errorCode, type SpoolFile } from './spool-files.js';
import { type Segment, segmentNumber, SpoolStore, storedEntry, type StoredEntry } from './store.js';
import type { AdoptedEntry, AdoptedSpool, SpoolBatch, SpoolContext, SpoolEntry } from './types.js';

export interface AdoptedParts {
  readonly context: SpoolContext;
  readonly quarantine: Quarantine;
  readonly onGone: () => void;
}

/** What a dead process left, in a directory that is ours now. */
export class AdoptedDirectory implements AdoptedSpool {
  readonly entries: readonly AdoptedEntry[];
  readonly lost: number;
  readonly store: SpoolStore;
  readonly #onGone: () => void;
  #closed: Promise<void> | undefined;

  /** `onGone` is called when nothing of it is left on disk. */
  constructor(store: SpoolStore, found: Pick<AdoptedSpool, 'entries' | 'lost'>, onGone: () => void) {
    this.store = store;
    this.entries = found.entries;
    this.lost = found.lost;
    this.#onGone = onGone;
    store.onEmpty = () => void this.close();
    if (store.entries === 0) void this.close();
  }

  async read(entry: SpoolEntry): Promise<SpoolBatch | undefined> {
    const stored = storedEntry(entry);
    return stored === undefined ? undefined : stored.segment.store.read(stored);
  }

  release(entry: SpoolEntry): void {
    const stored = storedEntry(entry);
    if (stored !== undefined) stored.segment.store.release(stored);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.store.close();
    if (this.store.isGone) this.#onGone();
  }
}

/**
 * Looks through the segments of a directory that is ours. What cannot be read is reported and stays where it is, or
 * aside; it never keeps the rest from being found.
 */
export async function openAdopted(home: Home, parts: AdoptedParts): Promise<AdoptedDirectory> {
  const store = new SpoolStore(home, parts);
  await store.notes.load();
  const numbers: number[] = [];
  for (const name of await parts.context.files.list(home.path)) {
    const number = segmentNumber(name);
    if (number !== undefined) numbers.push(number);
  }
  numbers.sort((one, other) => one - other);
  const loader = new Loader(store, parts, new Losses(store.notes.numbers, numbers[0] === 1));
  for (const number of numbers) await loader.load(number, number === numbers.at(-1));
  const { lost } = loader;
  const text = `${lost} records of ${home.name} in the spool are lost to damage of the disk.`;
  for (const number of loader.lostFrames) store.notes.add(number);
  if (lost > 0) parts.context.problem('lost', `${text} stats() counts them as dropped (spool_unreadable).`);
  return new AdoptedDirectory(store, loader, parts.onGone);
}

class Loader {
  readonly #entries: StoredEntry[] = [];
  readonly #found = new NumberSet();
  readonly #store: SpoolStore;
  readonly #context: SpoolContext;
  readonly #quarantine: Quarantine;
  readonly #names = new Map<string, string>();
  readonly #losses: Losses;

  constructor(store: SpoolStore, parts: AdoptedParts, losses: Losses) {
    this.#losses = losses;
    this.#store = store;
    this.#context = parts.context;
    this.#quarantine = parts.quarantine;
  }

  /** In the order written: of two copies of a frame the first may be the damaged one. */
  get entries(): readonly AdoptedEntry[] {
    return this.#entries.sort((one, other) => one.number - other.number);
  }

  get lost(): number {
    return this.#losses.records;
  }

  get lostFrames(): readonly number[] {
    return this.#losses.records === 0 ? [] : this.#losses.frames;
  }

  async load(number: number, isLast: boolean): Promise<void> {
    try {
      await this.#load(number, isLast);
    } catch (error) {
      const what = `Segment ${number} of ${this.#store.home.name} in the spool`;
      const why = `cannot be opened (${errorCode(error)})`;
      this.#context.problem('unreadable', `${what} ${why}. It stays where it is.`);
    }
  }

  async #load(number: number, isLast: boolean): Promise<void> {
    const store = this.#store;
    const { files } = this.#context;
    const path = store.segmentPath(number);
    const size = (await files.facts(path))?.size ?? 0;
    const file = await files.openToWrite(path);
    try {
      const window = new FileWindow(file, size);
      const { frames, damage } = await scanSegment(window, store.marker);
      const segment = store.addSegment(number, size);
      // What the disk cannot read now it may give back another time.
      this.#findLosses(frames, window.unreadableBytes === 0 ? damage : []);
      // The last one may have been begun just before the end.
      if (size < SEGMENT_HEADER_BYTES) this.#reportEmpty(number, isLast);
      for (const frame of frames) {
        // A process on its way out writes once more what it cannot wait for.
        if (this.#found.has(frame.number)) continue;
        this.#found.add(frame.number);
        if (store.notes.numbers.has(frame.number)) continue;
        this.#entries.push(store.addEntry(segment, this.#shareNames(frame)));
      }
      for (const range of damage) {
        await this.#quarantine.keep({ ...range, file, directory: store.home.name, segment: number });
      }
      await this.#sync(segment, file);
      if (window.unreadableBytes === 0) store.seal(segment);
      else this.#reportUnreadable(number, window.unreadableBytes);
    } finally {
      await file.close();
    }
  }

  #findLosses(frames: readonly FoundFrame[], damage: readonly DamagedRange[]): void {
    const ranges = [...damage];
    for (const { number, offset, meta } of frames) {
      while (ranges[0] !== undefined && ranges[0].offset < offset) {
        ranges.shift();
        this.#losses.damaged();
      }
      this.#losses.frame(number, meta);
    }
    if (ranges.length > 0) this.#losses.damaged();
  }

  #reportEmpty(number: number, isLast: boolean): void {
    this.#losses.damaged();
    const what = `Segment ${number} of ${this.#store.home.name} in the spool is empty`;
    const why = isLast ? 'Either the process ended as it began it, or' : 'So';
    this.#context.problem('damaged', `${what}. ${why} the disk has lost what was in it.`);
  }

  /** A process that was killed may have left its last writes to the kernel; a power cut must not take them now. */
  async #sync(segment: Segment, file: SpoolFile): Promise<void> {
    if (segment.unreleased === 0) return;
    try {
      await file.sync();
      await this.#context.files.syncDirectory(this.#store.home.path);
    } catch (error) {
      const code = errorCode(error);
      const what = `The disk could not make adopted records last (${code})`;
      this.#context.problem('unsynced', `${what}: a power cut may take them. Look at the disk.`);
    }
  }

  /** Such a segment is kept, for the disk may give the rest back another time. */
  #reportUnreadable(number: number, bytes: number): void {
    const where = `segment ${number} of ${this.#store.home.name} in the spool`;
    this.#context.problem('unreadable', `The disk cannot read ${bytes} bytes of ${where}, which is kept.`);
  }

  /** Few names stand in many frames; a long spool should not keep them once for each. */
  #shareNames(frame: FoundFrame): FoundFrame {
    const { stream, producer } = frame.meta;
    return { ...frame, meta: { ...frame.meta, stream: this.#name(stream), producer: this.#name(producer) } };
  }

  #name(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    this.#names.set(name, name);
    return name;
  }
}
