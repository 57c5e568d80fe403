import { codeAt } from '../record/code-at.js';

/**
 * Writes values as RESP bulk strings (`$<bytes>\r\n<bytes>\r\n`) into one growing buffer. It exists because the
 * write path's cost is mostly here: copying short ASCII strings byte by byte is cheaper than one native call
 * each, and no intermediate string is ever built.
 */
const CR = 13;
const LF = 10;
const DOLLAR = 36;
const ASTERISK = 42;
const POINT = 46;
const ZERO = 48;
/** Up to this length a loop over char codes beats the native write (docs/write-path.md). */
const SHORT = 12;
/** `$`, up to 10 digits, CR LF before the bytes and CR LF behind them. */
const FRAME = 15;

export class RespWriter {
  bytes: Buffer;
  length = 0;

  constructor(capacity = 4096) {
    this.bytes = Buffer.allocUnsafeSlow(capacity);
  }

  reset(): void {
    this.length = 0;
    // One huge record must not pin its memory for the life of the process.
    if (this.bytes.length > 1 << 20) this.bytes = Buffer.allocUnsafeSlow(4096);
  }

  text(value: string): void {
    const size = value.length;
    if (size > SHORT) return this.#long(value);
    this.#reserve(size);
    const bytes = this.bytes;
    let at = this.#header(this.length, size);
    for (let i = 0; i < size; i++) {
      const code = codeAt(value, i);
      if (code > 127) return this.#long(value);
      bytes[at++] = code;
    }
    this.#end(at);
  }

  /** The beginning of an array (a command is one) of so many bulk strings. */
  array(count: number): void {
    this.#reserve(0);
    const digits = decimalDigits(count);
    this.bytes[this.length] = ASTERISK;
    this.#digits(this.length + 1, digits, count);
    this.#end(this.length + 1 + digits);
  }

  /** Bulk strings that were made before. */
  raw(bulks: Buffer): void {
    this.#reserve(bulks.length);
    this.length += bulks.copy(this.bytes, this.length);
  }

  /**
   * A number as `String` writes it, at a quarter of the cost. False, and nothing is written, for those that are not
   * simple: negative, beyond 2^53, or with more than three decimals.
   */
  number(value: number): boolean {
    if (Number.isInteger(value)) {
      if (!(value > 0 && value <= Number.MAX_SAFE_INTEGER) && !Object.is(value, 0)) return false;
      this.integer(value);
      return true;
    }
    const thousandths = Math.round(value * 1_000);
    // No two decimals of 15 digits are the same double, so the one that divides to it is also the shortest.
    if (!(value > 0 && thousandths < 1e15 && thousandths / 1_000 === value)) return false;
    this.#decimal(thousandths);
    return true;
  }

  #decimal(thousandths: number): void {
    this.#reserve(20);
    const whole = Math.floor(thousandths / 1_000);
    let fraction = thousandths - whole * 1_000;
    let places = 3;
    for (; fraction % 10 === 0; fraction /= 10) places--;
    const digits = decimalDigits(whole);
    const at = this.#header(this.length, digits + 1 + places);
    this.#digits(at, digits, whole);
    this.bytes[at + digits] = POINT;
    this.#digits(at + digits + 1, places, fraction);
    this.#end(at + digits + 1 + places);
  }

  /** A number from 0 to 2^53, in decimal. */
  integer(value: number): void {
    this.#reserve(20);
    const size = decimalDigits(value);
    const at = this.#header(this.length, size);
    this.#digits(at, size, value);
    this.#end(at + size);
  }

  /** Unix nanoseconds of a time whose seconds have ten digits (the years 2001 to 2286). */
  nanoseconds(seconds: number, nanoseconds: number): void {
    this.#reserve(20);
    const at = this.#header(this.length, 19);
    this.#digits(at, 10, seconds);
    this.#digits(at + 10, 9, nanoseconds);
    this.#end(at + 19);
  }

  #long(value: string): void {
    this.#reserve(value.length * 3);
    const start = this.#header(this.length, value.length);
    const written = this.bytes.write(value, start);
    let end = start + written;
    if (written !== value.length) {
      // Not ASCII: the length guessed in the header was the number of UTF-16 units.
      const moved = this.length + decimalDigits(written) + 3;
      if (moved !== start) this.bytes.copyWithin(moved, start, end);
      this.#header(this.length, written);
      end = moved + written;
    }
    this.#end(end);
  }

  #end(at: number): void {
    this.bytes[at] = CR;
    this.bytes[at + 1] = LF;
    this.length = at + 2;
  }

  #header(at: number, size: number): number {
    const bytes = this.bytes;
    bytes[at++] = DOLLAR;
    if (size < 10) {
      bytes[at++] = ZERO + size;
    } else if (size < 100) {
      const tens = (size / 10) | 0;
      bytes[at++] = ZERO + tens;
      bytes[at++] = ZERO + size - tens * 10;
    } else {
      const digits = decimalDigits(size);
      this.#digits(at, digits, size);
      at += digits;
    }
    bytes[at] = CR;
    bytes[at + 1] = LF;
    return at + 2;
  }

  #digits(at: number, count: number, value: number): void {
    const bytes = this.bytes;
    let rest = value;
    for (let i = at + count - 1; i >= at; i--) {
      const next = rest < 0x7fffffff ? (rest / 10) | 0 : Math.floor(rest / 10);
      bytes[i] = ZERO + (rest - next * 10);
      rest = next;
    }
  }

  #reserve(size: number): void {
    const needed = this.length + size + FRAME;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }
}

function decimalDigits(value: number): number {
  let digits = 1;
  for (let limit = 10; value >= limit && digits < 17; limit *= 10) digits++;
  return digits;
}

/** One RESP bulk string as a buffer of its own, for what is encoded once and sent often. */
export function bulk(value: string): Buffer {
  const size = Buffer.byteLength(value);
  return Buffer.from(`$${size}\r\n${value}\r\n`);
}
