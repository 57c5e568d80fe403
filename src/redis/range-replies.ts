/** An error of the server, as ioredis names them. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

const LF = 10;
const CR = 13;
const PLUS = 43;
const MINUS = 45;
const DOLLAR = 36;
const STAR = 42;
const COLON = 58;

/** Names of fields up to this length are compared before they are made anew. */
const MAX_NAME = 64;
const MAX_NAMES = 256;
/** Several call sites take turns, and each has names of its own at the same places. */
const MAX_SHAPES = 8;

interface OpenList {
  readonly items: unknown[];
  readonly length: number;
}

interface KnownName {
  readonly bytes: Buffer;
  readonly text: string;
}

/**
 * Takes RESP2 apart, several times as fast as ioredis, which makes a buffer of every text first. Entries of a stream
 * repeat the names of their fields, so a name that one of the entries before had at the same place is not made again.
 */
export class ReplyReader {
  readonly #reply: (reply: unknown) => void;
  /** By place. */
  readonly #names: KnownName[][] = [];
  #lists: OpenList[] = [];
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** What has come of an element that is not complete. */
  #parts: Buffer[] = [];
  #size = 0;
  #needed = 0;

  /** `reply` gets each reply; an error of the server as a {@link ReplyError}. */
  constructor(reply: (reply: unknown) => void) {
    this.#reply = reply;
  }

  /** @throws TypeError for bytes that are no RESP2; the connection is then of no use. */
  push(chunk: Buffer): void {
    this.#parts.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#needed) return;
    this.#bytes = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts, this.#size);
    this.#at = 0;
    this.#needed = 0;
    while (this.#at < this.#bytes.length && this.#element());
    const rest = this.#bytes.subarray(this.#at);
    this.#parts = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
  }

  /** One element; false, with nothing taken, where it is not complete. */
  #element(): boolean {
    const start = this.#at;
    const end = this.#bytes.indexOf(LF, start);
    if (end < 0) return false;
    switch (this.#bytes[start]) {
      case DOLLAR:
        return this.#text(start, end);
      case STAR:
        this.#at = end + 1;
        this.#open(this.#number(start + 1));
        return true;
      case COLON:
        this.#at = end + 1;
        this.#done(Number(this.#line(start, end)));
        return true;
      case PLUS:
        this.#at = end + 1;
        this.#done(this.#line(start, end));
        return true;
      case MINUS:
        this.#at = end + 1;
        this.#done(new ReplyError(this.#line(start, end)));
        return true;
      default:
        throw new TypeError('The server does not speak RESP2.');
    }
  }

  #text(start: number, end: number): boolean {
    const length = this.#number(start + 1);
    const from = end + 1;
    if (length < 0) {
      this.#at = from;
      this.#done(null);
      return true;
    }
    const to = from + length;
    if (to + 2 > this.#bytes.length) {
      this.#needed = to + 2 - start;
      return false;
    }
    this.#at = to + 2;
    this.#done(this.#isName(length) ? this.#name(from, to) : this.#bytes.toString('utf8', from, to));
    return true;
  }

  /** Names stand at the even places of a list inside lists. A pair is an id with its fields, or a stream with entries. */
  #isName(length: number): boolean {
    const list = this.#lists.at(-1);
    if (list === undefined || list.length <= 2 || this.#lists.length <= 2) return false;
    const index = list.items.length;
    return index % 2 === 0 && index < MAX_NAMES && length <= MAX_NAME;
  }

  #name(from: number, to: number): string {
    const index = this.#lists.at(-1)?.items.length ?? 0;
    const known = (this.#names[index] ??= []);
    const length = to - from;
    for (const { bytes, text } of known) {
      if (bytes.length === length && this.#bytes.compare(bytes, 0, length, from, to) === 0) return text;
    }
    const text = this.#bytes.toString('utf8', from, to);
    if (known.length === MAX_SHAPES) known.shift();
    known.push({ bytes: Buffer.from(this.#bytes.subarray(from, to)), text });
    return text;
  }

  #open(length: number): void {
    if (length < 0) this.#done(null);
    else if (length === 0) this.#done([]);
    else this.#lists.push({ items: [], length });
  }

  /** Puts a value where it belongs, and closes the lists that are full with it. */
  #done(value: unknown): void {
    let complete = value;
    for (;;) {
      const list = this.#lists.at(-1);
      if (list === undefined) break;
      if (list.items.push(complete) < list.length) return;
      this.#lists.pop();
      complete = list.items;
    }
    this.#reply(complete);
  }

  #line(start: number, end: number): string {
    return this.#bytes.toString('utf8', start + 1, this.#bytes[end - 1] === CR ? end - 1 : end);
  }

  #number(start: number): number {
    let value = 0;
    const isNegative = this.#bytes[start] === MINUS;
    for (let i = isNegative ? start + 1 : start; ; i++) {
      const digit = (this.#bytes[i] ?? CR) - 48;
      if (digit < 0 || digit > 9) return isNegative ? -value : value;
      value = value * 10 + digit;
    }
  }
}
