import { crc32 } from 'node:zlib';
import { MARKER_BYTES } from './frame.js';
import { NumberSet } from './number-set.js';
import { readStart, type SpoolFile } from './spool-files.js';
import type { SpoolContext } from './types.js';

/*
 * One file with two places, written in turn, so that one is whole at any time:
 * 0 marker 12 | 12 note number u48 | 18 ranges u16 | 20 CRC-32 of the rest | 24 ranges, each from u48, to u48
 */
const PLACE_BYTES = 4_096;
const HEAD_BYTES = 24;
const RANGE_BYTES = 12;
const MAX_RANGES = Math.floor((PLACE_BYTES - HEAD_BYTES) / RANGE_BYTES);
const FILE_NAME = 'released';

/** A process that dies without a word repeats what was released since the last note; Redis' guard drops that. */
const NOTE_EVERY_MS = 1_000;

/**
 * Which frames of a directory need not be sent any more. It is there so that a restart does not send all of a
 * segment again, of which little was left; so it is written now and then, never synced, and may fail.
 */
export class ReleaseNotes {
  readonly numbers = new NumberSet();
  readonly path: string;
  readonly #context: SpoolContext;
  readonly #marker: Buffer;
  #file: SpoolFile | undefined;
  #noteNumber = 0;
  #isStale = false;
  #cancel: (() => void) | undefined;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(directory: string, marker: Buffer, context: SpoolContext) {
    this.path = `${directory}/${FILE_NAME}`;
    this.#marker = marker;
    this.#context = context;
  }

  /** Takes in what an earlier process noted. */
  async load(): Promise<void> {
    const content = Buffer.alloc(PLACE_BYTES * 2);
    try {
      await readStart(this.#context.files, this.path, content);
    } catch {
      return;
    }
    const first = this.#noteAt(content.subarray(0, PLACE_BYTES));
    const second = this.#noteAt(content.subarray(PLACE_BYTES));
    const newest = noteNumber(first) > noteNumber(second) ? first : second;
    if (newest !== undefined) this.#take(newest);
  }

  /** The note at one place; `undefined` unless it is whole. */
  #noteAt(place: Buffer): Buffer | undefined {
    if (place.compare(this.#marker, 0, MARKER_BYTES, 0, MARKER_BYTES) !== 0) return undefined;
    const note = place.subarray(0, HEAD_BYTES + place.readUInt16LE(18) * RANGE_BYTES);
    return place.readUInt32LE(20) === noteCrc(note) ? note : undefined;
  }

  #take(note: Buffer): void {
    this.#noteNumber = noteNumber(note);
    for (let at = HEAD_BYTES; at < note.length; at += RANGE_BYTES) {
      this.numbers.addRange(note.readUIntLE(at, 6), note.readUIntLE(at + 6, 6));
    }
  }

  add(number: number): void {
    this.numbers.add(number);
    this.#isStale = true;
    if (this.#isClosed) return;
    this.#cancel ??= this.#context.runtime.after(NOTE_EVERY_MS, () => {
      this.#cancel = undefined;
      void this.write();
    });
  }

  /** Never rejects. */
  write(): Promise<void> {
    if (this.#isStale) {
      this.#isStale = false;
      this.#work = this.#work.then(() => this.#write());
    }
    return this.#work;
  }

  async #write(): Promise<void> {
    const note = this.#encode();
    const position = (this.#noteNumber % 2) * PLACE_BYTES;
    try {
      this.#file ??= await this.#context.files.openToWrite(this.path);
      if ((await this.#file.write([note], position)) < note.length) this.#isStale = true;
    } catch {
      // A disk that takes no note takes no batches either, and that is reported.
      this.#isStale = true;
    }
  }

  #encode(): Buffer {
    const { numbers } = this;
    const ranges = Math.min(numbers.ranges, MAX_RANGES);
    const note = Buffer.alloc(HEAD_BYTES + ranges * RANGE_BYTES);
    this.#marker.copy(note);
    note.writeUIntLE(++this.#noteNumber, 12, 6);
    note.writeUInt16LE(ranges, 18);
    for (let index = 0; index < ranges; index++) {
      const [from, to] = numbers.range(index);
      note.writeUIntLE(from, HEAD_BYTES + index * RANGE_BYTES, 6);
      note.writeUIntLE(to, HEAD_BYTES + index * RANGE_BYTES + 6, 6);
    }
    note.writeUInt32LE(noteCrc(note), 20);
    return note;
  }

  /** Never rejects. What is added afterwards is not noted any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.write();
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {});
  }
}

function noteNumber(note: Buffer | undefined): number {
  return note === undefined ? 0 : note.readUIntLE(12, 6);
}

function noteCrc(note: Buffer): number {
  return crc32(note.subarray(HEAD_BYTES), crc32(note.subarray(0, 20)));
}
