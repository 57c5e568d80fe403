import { decodeFrame, frameMarker } from './frame.js';
import { type Home, NEXT_OWNER_FILE, OWNER_FILE } from './home.js';
import type { Quarantine } from './quarantine.js';
import { ReleaseNotes } from './release-notes.js';
import type { FoundFrame } from './scan-segment.js';
import { SegmentReader } from './segment-reader.js';
import { errorCode } from './spool-files.js';
import type { AdoptedEntry, SpoolBatch, SpoolContext, SpoolEntry } from './types.js';

/** One file of frames. */
export class Segment {
  readonly store: SpoolStore;
  readonly number: number;
  readonly path: string;
  size = 0;
  unreleased = 0;
  /** Nothing will be written to it any more, so it goes with its last entry. */
  isSealed = false;

  constructor(store: SpoolStore, number: number) {
    this.store = store;
    this.number = number;
    this.path = store.segmentPath(number);
  }
}

export class StoredEntry implements AdoptedEntry {
  readonly segment: Segment;
  readonly number: number;
  readonly offset: number;
  readonly bytes: number;
  readonly stream: string;
  readonly producer: string;
  readonly first: number;
  readonly count: number;
  readonly holes: number;
  isReleased = false;

  constructor(segment: Segment, { number, offset, bytes, meta }: FoundFrame) {
    this.segment = segment;
    this.number = number;
    this.offset = offset;
    this.bytes = bytes;
    this.stream = meta.stream;
    this.producer = meta.producer;
    this.first = meta.first;
    this.count = meta.count;
    this.holes = meta.holes;
  }
}

const SEGMENT_NAME = /^(\d{8,12})\.seg$/;

/** The number in a segment's file name; `undefined` when it is the name of something else. */
export function segmentNumber(name: string): number | undefined {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The segments of one process' directory, and what of them is still needed. No method rejects or throws. */
export class SpoolStore {
  readonly home: Home;
  readonly marker: Buffer;
  readonly notes: ReleaseNotes;
  /** Bytes of all segments. */
  bytes = 0;
  /** Entries not yet released. */
  entries = 0;
  /** The directory has been removed. */
  isGone = false;
  /** Called when the last entry was released. */
  onEmpty: () => void = () => {};
  readonly #context: SpoolContext;
  readonly #quarantine: Quarantine;
  readonly #segments = new Set<Segment>();
  #removing: Promise<void> = Promise.resolve();
  #reading: Promise<unknown> = Promise.resolve();
  #reader: { readonly segment: Segment; readonly reader: SegmentReader } | undefined;

  constructor(home: Home, parts: { readonly context: SpoolContext; readonly quarantine: Quarantine }) {
    this.home = home;
    this.marker = frameMarker(home.salt);
    this.notes = new ReleaseNotes(home.path, this.marker, parts.context);
    this.#context = parts.context;
    this.#quarantine = parts.quarantine;
  }

  segmentPath(number: number): string {
    return `${this.home.path}/${String(number).padStart(8, '0')}.seg`;
  }

  addSegment(number: number, size: number): Segment {
    const segment = new Segment(this, number);
    this.#segments.add(segment);
    this.resize(segment, size);
    return segment;
  }

  resize(segment: Segment, size: number): void {
    this.bytes += size - segment.size;
    segment.size = size;
  }

  addEntry(segment: Segment, frame: FoundFrame): StoredEntry {
    segment.unreleased++;
    this.entries++;
    return new StoredEntry(segment, frame);
  }

  release(entry: StoredEntry): void {
    if (entry.isReleased) return;
    entry.isReleased = true;
    this.notes.add(entry.number);
    entry.segment.unreleased--;
    this.entries--;
    if (entry.segment.isSealed) this.#removeIfDone(entry.segment);
    if (this.entries === 0) this.onEmpty();
  }

  seal(segment: Segment): void {
    segment.isSealed = true;
    this.#removeIfDone(segment);
  }

  #removeIfDone(segment: Segment): void {
    if (segment.unreleased === 0) this.#removing = this.#removing.then(() => this.#remove(segment));
  }

  async #remove(segment: Segment): Promise<void> {
    const { files, problem } = this.#context;
    if (!this.#segments.has(segment)) return;
    try {
      if (this.#reader?.segment === segment) await this.#closeReader();
      await files.remove(segment.path);
      this.#forget(segment);
      await files.syncDirectory(this.home.path);
    } catch (error) {
      const code = errorCode(error);
      if (code === 'ENOENT') this.#forget(segment);
      else problem('disk', `A segment of the spool that is not needed any more cannot be removed (${code}).`);
    }
  }

  #forget(segment: Segment): void {
    if (this.#segments.delete(segment)) this.resize(segment, 0);
  }

  /** Resolves when every segment that can go is gone. */
  settled(): Promise<void> {
    return this.#removing;
  }

  /** One at a time: they share a file that is open. */
  read(entry: StoredEntry): Promise<SpoolBatch | undefined> {
    const batch = this.#reading.then(() => this.#read(entry));
    this.#reading = batch;
    return batch;
  }

  async #read(entry: StoredEntry): Promise<SpoolBatch | undefined> {
    const { segment, offset, bytes } = entry;
    let reader: SegmentReader;
    try {
      reader = await this.#open(segment);
      const first = reader.atHand(offset, bytes) ?? (await reader.read(offset, bytes));
      const batch = this.#decode(entry, first) ?? this.#decode(entry, await reader.readAgain(offset, bytes));
      if (batch !== undefined) return batch;
    } catch (error) {
      const text = `${entry.count} records cannot be read back from the spool (${errorCode(error)}).`;
      this.#context.problem('unreadable', text);
      return undefined;
    }
    const place = { directory: this.home.name, segment: segment.number, offset, bytes };
    await this.#quarantine.keep({ ...place, file: reader.file, isEmpty: false });
    return undefined;
  }

  #decode(entry: StoredEntry, bytes: Buffer): SpoolBatch | undefined {
    return bytes.length < entry.bytes ? undefined : decodeFrame(bytes, entry.number, this.marker);
  }

  async #open(segment: Segment): Promise<SegmentReader> {
    if (this.#reader?.segment === segment) return this.#reader.reader;
    await this.#closeReader();
    const reader = new SegmentReader(await this.#context.files.open(segment.path));
    this.#reader = { segment, reader };
    return reader;
  }

  async #closeReader(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.reader.file.close().catch(() => {});
  }

  /** Ends all work. Removes the directory when nothing in it is needed. */
  async close(): Promise<void> {
    await this.#reading;
    // Again those that could not be removed before.
    for (const segment of this.#segments) if (segment.isSealed) this.#removeIfDone(segment);
    await this.settled();
    await this.#closeReader();
    await this.notes.close();
    if (this.entries === 0) await this.#removeDirectory().catch(() => {});
  }

  async #removeDirectory(): Promise<void> {
    const { files } = this.#context;
    const own = new Set([OWNER_FILE, NEXT_OWNER_FILE, this.notes.path.slice(this.home.path.length + 1)]);
    const names = await files.list(this.home.path);
    // What is not ours to judge, such as a segment that could not be opened, keeps its directory.
    if (names.some((name) => !own.has(name))) return;
    // The owner's file goes last: without it, others wait before they take a directory for an orphan.
    for (const name of names) if (name !== OWNER_FILE) await files.remove(`${this.home.path}/${name}`);
    if (names.includes(OWNER_FILE)) await files.remove(`${this.home.path}/${OWNER_FILE}`);
    await files.removeDirectory(this.home.path);
    this.isGone = true;
    await files.syncDirectory(parentOf(this.home.path));
  }
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** The entry behind an opaque handle; `undefined` when it is none of ours. */
export function storedEntry(entry: SpoolEntry): StoredEntry | undefined {
  return entry instanceof StoredEntry ? entry : undefined;
}
