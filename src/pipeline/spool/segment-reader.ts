import type { SpoolFile } from './spool-files.js';

/** So much is read at a time: small batches that follow each other come with one call. */
const READ_BYTES = 65_536;

/** A segment that is open for reading, and what was read of it last. */
export class SegmentReader {
  readonly file: SpoolFile;
  #read = Buffer.alloc(0);
  #start = 0;

  constructor(file: SpoolFile) {
    this.file = file;
  }

  /** What is at hand of so many bytes at `offset`; `undefined` when that is not all. Nobody writes into it later. */
  atHand(offset: number, bytes: number): Buffer | undefined {
    const from = offset - this.#start;
    return from >= 0 && from + bytes <= this.#read.length
      ? this.#read.subarray(from, from + bytes)
      : undefined;
  }

  /** Reads so many bytes at `offset`, and for small ones what follows. Fewer at the file's end. Rejects as the file does. */
  async read(offset: number, bytes: number): Promise<Buffer> {
    if (bytes <= READ_BYTES / 2) {
      await this.#readOn(offset).catch(() => this.#forget());
      const ahead = this.atHand(offset, bytes);
      if (ahead !== undefined) return ahead;
    }
    return this.readAgain(offset, bytes);
  }

  /** From the file, and not a byte more: the disk may be unable to read those behind. */
  async readAgain(offset: number, bytes: number): Promise<Buffer> {
    this.#forget();
    const buffer = Buffer.allocUnsafe(bytes);
    let size = 0;
    while (size < bytes) {
      const read = await this.file.read(size === 0 ? buffer : buffer.subarray(size), offset + size);
      if (read === 0) break;
      size += read;
    }
    return buffer.subarray(0, size);
  }

  async #readOn(offset: number): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const size = await this.file.read(buffer, offset);
    this.#read = buffer.subarray(0, size);
    this.#start = offset;
  }

  #forget(): void {
    this.#read = this.#read.subarray(0, 0);
  }
}
