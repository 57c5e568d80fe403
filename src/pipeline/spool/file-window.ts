import type { SpoolFile } from './spool-files.js';

const WINDOW_BYTES = 262_144;
/** What is given up at a time where the disk cannot read: a page of memory, and a sector of most disks. */
const UNREADABLE_BYTES = 4_096;

/** Reads a file of any size through one piece of memory. Where the disk cannot read, it shows zeros. */
export class FileWindow {
  readonly size: number;
  /** How many bytes could not be read so far. */
  unreadableBytes = 0;
  readonly #file: SpoolFile;
  readonly #buffer = Buffer.allocUnsafe(WINDOW_BYTES);
  #start = 0;
  #end = 0;

  constructor(file: SpoolFile, size: number) {
    this.#file = file;
    this.size = size;
  }

  /** `length` bytes, at most a window full; fewer at the end of the file. Good until the next call. */
  async at(offset: number, length: number): Promise<Buffer> {
    const end = Math.min(offset + Math.min(length, WINDOW_BYTES), this.size);
    if (offset >= end) return this.#buffer.subarray(0, 0);
    if (offset < this.#start || end > this.#end) await this.#fill(offset);
    return this.#buffer.subarray(
      offset - this.#start,
      Math.max(offset, Math.min(end, this.#end)) - this.#start,
    );
  }

  /** What there is from `offset` on without reading again, or else a window full; empty at the end of the file. */
  async some(offset: number): Promise<Buffer> {
    if (offset >= this.#start && offset < this.#end)
      return this.#buffer.subarray(offset - this.#start, this.#end - this.#start);
    return this.at(offset, WINDOW_BYTES);
  }

  async #fill(offset: number): Promise<void> {
    this.#start = offset;
    this.#end = offset;
    const end = Math.min(offset + WINDOW_BYTES, this.size);
    while (this.#end < end) {
      const read = await this.#read(this.#buffer.subarray(this.#end - offset, end - offset));
      if (read === 0) break;
      this.#end += read;
    }
  }

  async #read(into: Buffer): Promise<number> {
    try {
      return await this.#file.read(into, this.#end);
    } catch {
      const small = into.subarray(0, UNREADABLE_BYTES - (this.#end % UNREADABLE_BYTES));
      try {
        return await this.#file.read(small, this.#end);
      } catch {
        small.fill(0);
        this.unreadableBytes += small.length;
        return small.length;
      }
    }
  }
}
