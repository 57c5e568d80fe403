// Finds ids and last values in the answer to an XREAD of one stream, without making strings of the rest.
const MINUS = 45;
const ZERO = 48;

export class EntryScanner {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  /** The entries as `{ id, lastValue }`, none where the wait was in vain; undefined while bytes are missing. */
  reply() {
    try {
      if (this.#size() < 0) return [];
      this.#size();
      this.#skip();
      const entries = [];
      for (let left = this.#size(); left > 0; left--) entries.push(this.#entry());
      return entries;
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  #entry() {
    this.#size();
    const id = this.#text();
    for (let left = this.#size(); left > 1; left--) this.#skip();
    return { id, lastValue: Number(this.#text()) };
  }

  #text() {
    const size = this.#size();
    const start = this.#at;
    this.#pass(size);
    return this.#bytes.latin1Slice(start, start + size);
  }

  #skip() {
    this.#pass(this.#size());
  }

  #pass(size) {
    this.#at += size + 2;
    if (this.#at > this.#bytes.length) throw new RangeError('incomplete');
  }

  /** The number in a line such as `$12` or `*3`; the kind is known by the place. */
  #size() {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    const isNegative = bytes[at] === MINUS;
    if (isNegative) at++;
    let size = 0;
    for (; bytes[at] >= ZERO; at++) size = size * 10 + bytes[at] - ZERO;
    this.#at = at + 2;
    if (this.#at > bytes.length) throw new RangeError('incomplete');
    return isNegative ? -size : size;
  }
}
