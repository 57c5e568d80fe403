import { encodeFrame, type Frame, SEGMENT_HEADER_BYTES } from './frame.js';
import { OpenSegment, type OpenSegmentParts } from './open-segment.js';
import { errorCode, type SpoolFile } from './spool-files.js';
import type { Segment, StoredEntry } from './store.js';
import type { SpoolBatch, SpoolProblem } from './types.js';

export interface WriterParts extends OpenSegmentParts {
  readonly segmentBytes: number;
  /** How many bytes may still be written, of all that this process has on disk. */
  readonly room: () => number;
}

interface Waiting {
  readonly frame: Frame;
  readonly settle: (entry: StoredEntry | undefined) => void;
}

/** After a failed write the disk is left alone for so long: full disks stay full for a while. */
const RETRY_MS = 1_000;
/** What goes to the disk in one call: so much that the call's own cost is nothing, so little that others get a turn. */
const MAX_GROUP_BYTES = 4_194_304;
/** Four buffers each; Linux takes 1,024 in one writev (IOV_MAX). */
const MAX_GROUP_FRAMES = 250;

/** Appends to the segments of one store, in the order of the calls. Nothing here rejects or throws. */
export class SpoolWriter {
  readonly #parts: WriterParts;
  #waiting: Waiting[] = [];
  #inFlight: Waiting[] = [];
  #active: OpenSegment | undefined;
  #flushing: Promise<void> | undefined;
  /** Goes up when {@link appendNow} takes everything over: what was under way then has no say any more. */
  #generation = 0;
  readonly #sealing = new Set<Promise<void>>();
  /** Flushes that were under way when all was taken over. */
  readonly #leaving = new Set<Promise<void>>();
  /** What writes that were taken over may still put on disk. */
  #reserved = 0;
  #lastFrame = 0;
  #lastSegment = 0;
  #retryAt = -Infinity;
  #failure = '';
  #isClosed = false;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  append(batch: SpoolBatch): Promise<StoredEntry | undefined> {
    const frame = this.#frame(batch);
    if (frame === undefined) return Promise.resolve(undefined);
    return new Promise((settle) => {
      this.#waiting.push({ frame, settle });
      // A microtask later, so that all batches of one tick go in one write.
      const generation = this.#generation;
      this.#flushing ??= Promise.resolve().then(() => this.#flush(generation));
    });
  }

  /** Writes these and all that wait, down to the disk, before it returns. What is among both is written once. */
  appendNow(batches: readonly SpoolBatch[]): readonly (StoredEntry | undefined)[] {
    const entries: (StoredEntry | undefined)[] = batches.map(() => undefined);
    this.#retryAt = -Infinity;
    // A write under way may be cut off by the end of the process, so its frames are written once more; a reader
    // takes the first frame of a number that is whole.
    const all = [...this.#inFlight, ...this.#waiting];
    batches.forEach((batch, index) => {
      const place = all.findIndex(({ frame }) => isSame(frame.batch, batch));
      const known = all[place];
      const frame = known?.frame ?? this.#frame(batch);
      if (frame === undefined) return;
      const settle = (entry: StoredEntry | undefined): void => {
        known?.settle(entry);
        entries[index] = entry;
      };
      all.splice(known === undefined ? all.length : place, 1, { frame, settle });
    });
    this.#startOver();
    while (all.length > 0) {
      const group = this.#takeGroup(all);
      if (group.length === 0) this.#refuseFull(all.shift());
      else this.#settle(group, this.#writeNow(group));
    }
    return entries;
  }

  /** Leaves a write that is under way to itself. */
  #startOver(): void {
    this.#generation++;
    if (this.#flushing !== undefined) keepUntilDone(this.#leaving, this.#flushing);
    this.#flushing = undefined;
    if (this.#inFlight.length > 0) this.#active = undefined;
    for (const { frame } of this.#inFlight) this.#reserved += frame.bytes;
    this.#inFlight = [];
    this.#waiting = [];
  }

  #frame(batch: SpoolBatch): Frame | undefined {
    const { runtime } = this.#parts.context;
    if (this.#isClosed) return this.#refuse('closed', 'The spool is closed.');
    if (runtime.now() < this.#retryAt) return this.#refuse('disk', this.#failure);
    const frame = encodeFrame(this.#lastFrame + 1, batch, this.#parts.store.marker);
    if (frame === undefined) return this.#refuse('too_large', 'A batch has names too long for the spool.');
    this.#lastFrame++;
    return frame;
  }

  #refuse(code: SpoolProblem, text: string): undefined {
    this.#parts.context.problem(code, text);
  }

  #refuseFull(waiting: Waiting | undefined): void {
    this.#refuse('full', 'The spool is full: records are kept in memory alone until Redis takes some.');
    waiting?.settle(undefined);
  }

  async #flush(generation: number): Promise<void> {
    while (this.#waiting.length > 0) {
      let group = this.#takeGroup(this.#waiting);
      if (group.length === 0) {
        await this.#makeRoom();
        if (generation !== this.#generation) return;
        group = this.#takeGroup(this.#waiting);
        if (group.length === 0) {
          const refused = this.#waiting.shift();
          // Its number is missing on disk, and that is no loss.
          if (refused !== undefined) this.#disown([refused]);
          this.#refuseFull(refused);
          continue;
        }
      }
      this.#inFlight = group;
      const open = await this.#write(group, generation);
      if (generation !== this.#generation) {
        // All of it has been written elsewhere meanwhile.
        for (const { frame } of group) this.#reserved -= frame.bytes;
        if (open !== undefined) this.#seal(open);
        return;
      }
      this.#inFlight = [];
      if (open === undefined) this.#disown(group);
      this.#settle(group, open?.segment);
    }
    this.#flushing = undefined;
  }

  /** The first of the waiting, as many as go in one write and still have room on disk. */
  #takeGroup(waiting: Waiting[]): Waiting[] {
    // A new segment may be needed for them.
    const room = this.#parts.room() - this.#reserved - SEGMENT_HEADER_BYTES;
    let bytes = 0;
    let count = 0;
    for (const { frame } of waiting) {
      bytes += frame.bytes;
      if (bytes > room || count === MAX_GROUP_FRAMES) break;
      if (bytes > MAX_GROUP_BYTES && count > 0) break;
      count++;
    }
    return waiting.splice(0, count);
  }

  /** Lets go of a segment that is kept only because it is being written. */
  async #makeRoom(): Promise<void> {
    if (this.#active?.segment.unreleased === 0) this.#sealActive();
    await allOf(this.#sealing);
    await this.#parts.store.settled();
  }

  /** The segment that has them all now, with the group at its end; `undefined` when it was not to be. */
  async #write(group: readonly Waiting[], generation: number): Promise<OpenSegment | undefined> {
    const { context, segmentBytes } = this.#parts;
    const frames = group.map(({ frame }) => frame);
    if (context.runtime.now() < this.#retryAt) return this.#refuse('disk', this.#failure);
    let open = this.#usable(frames, segmentBytes);
    try {
      if (open === undefined) {
        const number = ++this.#lastSegment;
        open = this.#opened(number, await context.files.create(this.#path(number)));
        if (generation === this.#generation) this.#active = open;
      }
      if (generation === this.#generation) await open.write(frames);
    } catch (error) {
      if (generation !== this.#generation) return open;
      this.#failed(error);
      return undefined;
    }
    return open;
  }

  /** The active segment, if these fit into it. */
  #usable(frames: readonly Frame[], segmentBytes: number): OpenSegment | undefined {
    const open = this.#active;
    if (open === undefined) return undefined;
    let bytes = open.segment.size;
    for (const frame of frames) bytes += frame.bytes;
    if (!open.isBroken && (bytes <= segmentBytes || open.segment.size === 0)) return open;
    this.#sealActive();
    return undefined;
  }

  #opened(number: number, file: SpoolFile): OpenSegment {
    return new OpenSegment(this.#parts, this.#parts.store.addSegment(number, 0), file);
  }

  #path(number: number): string {
    return this.#parts.store.segmentPath(number);
  }

  #writeNow(group: readonly Waiting[]): Segment | undefined {
    const frames = group.map(({ frame }) => frame);
    try {
      let open = this.#usable(frames, this.#parts.segmentBytes);
      if (open === undefined) {
        const number = ++this.#lastSegment;
        open = this.#opened(number, this.#parts.context.files.createSync(this.#path(number)));
        this.#active = open;
      }
      open.writeNow(frames);
      return open.segment;
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
  }

  #failed(error: unknown): void {
    const code = errorCode(error);
    this.#failure = `The spool cannot be written (${code}): records are kept in memory alone.`;
    this.#retryAt = this.#parts.context.runtime.now() + RETRY_MS;
    this.#refuse('disk', this.#failure);
    this.#sealActive();
  }

  #sealActive(): void {
    const active = this.#active;
    this.#active = undefined;
    if (active !== undefined) this.#seal(active);
  }

  #seal(open: OpenSegment): void {
    keepUntilDone(this.#sealing, open.seal());
  }

  /** Numbers of frames that may stand on a disk that did not let go of them. Whoever appended them still has them. */
  #disown(group: readonly Waiting[]): void {
    for (const { frame } of group) this.#parts.store.notes.add(frame.number);
  }

  /** Their frames are the last that went into the segment. */
  #settle(group: readonly Waiting[], segment: Segment | undefined): void {
    let offset = segment?.size ?? 0;
    for (const { frame } of group) offset -= frame.bytes;
    for (const { frame, settle } of group) {
      const { number, batch, bytes } = frame;
      settle(segment && this.#parts.store.addEntry(segment, { number, offset, bytes, meta: batch }));
      offset += bytes;
    }
  }

  /** Everything appended has an outcome and is on disk. */
  async close(): Promise<void> {
    this.#isClosed = true;
    while (this.#flushing !== undefined) await this.#flushing;
    await allOf(this.#leaving);
    this.#sealActive();
    await allOf(this.#sealing);
  }
}

function keepUntilDone(all: Set<Promise<void>>, one: Promise<void>): void {
  const kept = one.finally(() => all.delete(kept));
  all.add(kept);
}

async function allOf(all: ReadonlySet<Promise<void>>): Promise<void> {
  while (all.size > 0) await Promise.all(all);
}

function isSame(one: SpoolBatch, other: SpoolBatch): boolean {
  return one.first === other.first && one.producer === other.producer && one.stream === other.stream;
}
