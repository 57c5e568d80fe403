/** As many requests as are usually on their way at once. */
const MAX_BUFFERS = 4;
/** What takes more is rare, and not worth holding on to. */
const MAX_BUFFER_BYTES = 1024 * 1024;

/** Buffers of requests that were answered, for the next ones: each of them is too large to be made anew every time. */
export class BufferPool {
  readonly #free: Buffer[] = [];

  /** At least `size` bytes, with whatever was in them. */
  take(size: number): Buffer {
    const index = this.#free.findIndex((buffer) => buffer.length >= size);
    const [found] = index === -1 ? [] : this.#free.splice(index, 1);
    // A quarter more, so that the next batch, which has a few bytes more or less, fits too.
    return found ?? Buffer.allocUnsafeSlow(Math.ceil(size * 1.25));
  }

  /** Nobody reads the buffer any more. */
  give(buffer: Buffer): void {
    if (buffer.length > MAX_BUFFER_BYTES) return;
    if (this.#free.length >= MAX_BUFFERS) this.#free.shift();
    this.#free.push(buffer);
  }
}
