import { cutKey, cutText, fits } from './normalize-text.js';

/** How much of what a log call is given is kept. */
export interface NormalizeLimits {
  /** Objects, arrays, Maps and Sets inside one another, the set of attributes included. Default 8. */
  readonly maxDepth: number;
  /** Entries of one object, array, Map or Set, and attributes of one record. Default 128, as in OpenTelemetry. */
  readonly maxEntries: number;
  /** UTF-8 bytes of one string. Default 65,536. */
  readonly maxStringBytes: number;
  /** UTF-8 bytes of one key. Default 256. */
  readonly maxKeyBytes: number;
  /** All of one record, in bytes, approximately: short strings count one byte per character. Default 262,144. */
  readonly maxRecordBytes: number;
}

export const DEFAULT_LIMITS: NormalizeLimits = {
  maxDepth: 8,
  maxEntries: 128,
  maxStringBytes: 65_536,
  maxKeyBytes: 256,
  maxRecordBytes: 262_144,
};

/** A string of this many characters is kept even when the record is full, so that a last message survives. */
const SHORT_CHARS = 256;

/** What the quotes, colon and comma around a key take. */
const KEY_OVERHEAD = 4;

/** What a number, a boolean, or the brackets of a container take. */
const SCALAR_BYTES = 8;

/** Cuts strings and keys to their limits, and keeps the account of one record. */
export class RecordBudget {
  readonly #limits: NormalizeLimits;
  #bytesLeft: number;
  #truncations = 0;

  constructor(limits: NormalizeLimits) {
    this.#limits = limits;
    this.#bytesLeft = limits.maxRecordBytes;
  }

  get truncations(): number {
    return this.#truncations;
  }

  get isSpent(): boolean {
    return this.#bytesLeft <= 0;
  }

  reset(): void {
    this.#bytesLeft = this.#limits.maxRecordBytes;
    this.#truncations = 0;
  }

  noteCut(count: number): void {
    this.#truncations += count;
  }

  /** Charges a value that is no string. */
  scalar(extraBytes: number): void {
    this.#bytesLeft -= SCALAR_BYTES + extraBytes;
  }

  /** The string, well-formed, and cut when it is longer than its limit or than what is left of the record. */
  text(text: string): string {
    const chars = text.length;
    if (chars > SHORT_CHARS || chars * 3 > this.#limits.maxStringBytes) return this.#longText(text);
    this.#bytesLeft -= chars;
    return text.toWellFormed();
  }

  #longText(text: string): string {
    const room = Math.min(this.#limits.maxStringBytes, Math.max(this.#bytesLeft, SHORT_CHARS));
    if (fits(text, room)) {
      this.#bytesLeft -= Buffer.byteLength(text);
      return text.toWellFormed();
    }
    this.#truncations++;
    const cut = cutText(text, room);
    this.#bytesLeft -= Buffer.byteLength(cut);
    return cut;
  }

  /** The key, well-formed and at most as long as a key may be. */
  key(key: string): string {
    const { maxKeyBytes } = this.#limits;
    if (fits(key, maxKeyBytes)) {
      this.#bytesLeft -= key.length + KEY_OVERHEAD;
      return key.toWellFormed();
    }
    this.#truncations++;
    this.#bytesLeft -= maxKeyBytes + KEY_OVERHEAD;
    return cutKey(key, maxKeyBytes);
  }
}
