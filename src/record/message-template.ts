import { codeAt } from './code-at.js';
import { maskIds, mayBeId } from './id-shape.js';

const QUOTED = '<text>';
const ID = '<id>';
const IP = '<ip>';
const EMAIL = '<email>';
const NUMBER = '<n>';

/** What a character is: between words, in a word, or the beginning of a quotation. */
const BETWEEN = 0;
const LETTER = 1;
const DIGIT = 2;
const AT = 3;
const QUOTE = 4;
const UPPER = 5;
const KINDS = kindsOfCharacters();

const ADDRESS = /^<?[^@<>]+@[^@<>]+\.[^@<>.]+>?$/;
const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi;
const IPV4 = /\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\d.])/g;
const IPV6 = /^[\da-f]{0,4}(?::[\da-f]{0,4}){2,7}%?\w*$/i;
const MAC = /^[\da-f]{2}([:-])(?:[\da-f]{2}\1){4}[\da-f]{2}$/i;
const NUMBERS = /\d+(?:[.:-]\d+)*/g;

const SOME_UPPERS = /[A-Z][^A-Z]*[A-Z][^A-Z]*[A-Z]/;
const UUID_LENGTH = 36;
const MAC_LENGTH = 17;
const ANY_DIGIT = /\d/;
const ALL_DIGITS = /^\d+$/;

/** What an access log says of a request, up to its status, from behind the method. */
const REQUEST = / (?:\/|https?:\/\/)[^\s]* (?:HTTP\/[^\s]+ )?(?=[1-5]\d\d(?:[\s,;)\]}]|$))/y;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT']);
const MAX_METHOD_LENGTH = 7;
const STATUS_LENGTH = 3;

/** What stands before an apostrophe that opens a quotation, and after one that ends it: `don't` is neither. */
const OPENS_AFTER = /[\s([{=:,]/;
const CLOSES_BEFORE = /[\s)\]},.;:!?]/;

/**
 * The pattern of a message: what differs from one call to the next is replaced by a mark, so that all messages of one
 * log statement usually have one template. Quoted parts become `<text>`, UUIDs, hexadecimal and other ids `<id>`, IP
 * addresses `<ip>`, e-mail addresses `<email>`, and numbers, times and versions `<n>`. The status of an HTTP request
 * stays, where it is behind method and path.
 *
 * Linear in the text, and never throws. A template is its own template.
 *
 * @example
 * messageTemplate('User 17 paid order "A-9" from 10.0.0.7'); // 'User <n> paid order <text> from <ip>'
 */
export function messageTemplate(text: string): string {
  const closers = new Map<string, Closers>();
  let template = '';
  // Everything before it is in the template.
  let taken = 0;
  let position = 0;
  let status = -1;
  while (position < text.length) {
    const kind = kindAt(text, position);
    if (kind === BETWEEN) {
      position++;
      continue;
    }
    const end = kind === QUOTE ? endOfQuotation(text, position, closers) : endOfWord(text, position);
    // Negative: nothing of it differs from call to call.
    if (end > 0 && (position !== status || end !== status + STATUS_LENGTH)) {
      const mark = kind === QUOTE ? QUOTED : masked(text.slice(position, end));
      template += text.slice(taken, position) + mark;
      taken = end;
    } else if (kind === UPPER && text.charAt(-end) === ' ') {
      status = statusAfter(text, position, -end);
    }
    position = Math.abs(end);
  }
  return taken === 0 ? text : template + text.slice(taken);
}

/** Where the status stands of the request whose method is in between; -1 where it is none. */
function statusAfter(text: string, start: number, end: number): number {
  if (end - start > MAX_METHOD_LENGTH || !METHODS.has(text.slice(start, end))) return -1;
  if (start > 0 && kindAt(text, start - 1) !== BETWEEN) return -1;
  REQUEST.lastIndex = end;
  return REQUEST.test(text) ? REQUEST.lastIndex : -1;
}

/** Our own marks are words, so that marking twice changes nothing. */
function kindsOfCharacters(): Uint8Array {
  const kinds = new Uint8Array(128);
  const set = (characters: string, kind: number): void => {
    for (const character of characters) kinds[character.charCodeAt(0)] = kind;
  };
  set('abcdefghijklmnopqrstuvwxyz_.:+-<>%~', LETTER);
  set('ABCDEFGHIJKLMNOPQRSTUVWXYZ', UPPER);
  set('0123456789', DIGIT);
  set('@', AT);
  set('"`\'', QUOTE);
  return kinds;
}

function kindAt(text: string, position: number): number {
  const code = codeAt(text, position);
  return code < 128 ? (KINDS[code] ?? BETWEEN) : LETTER;
}

/** One past the word; negative where it has neither a digit, nor an at sign, nor looks like an id. */
function endOfWord(text: string, start: number): number {
  let isPlain = true;
  let uppers = 0;
  let end = start;
  for (; end < text.length; end++) {
    const kind = kindAt(text, end);
    if (kind === LETTER) continue;
    if (kind === BETWEEN || kind === QUOTE) break;
    if (kind === UPPER) uppers++;
    else isPlain = false;
  }
  return isPlain && !mayBeId(end - start, uppers) ? -end : end;
}

/** One past the closing mark; negative where it is no quotation. */
function endOfQuotation(text: string, start: number, closers: Map<string, Closers>): number {
  const quote = text.charAt(start);
  const opens = quote !== "'" || start === 0 || OPENS_AFTER.test(text.charAt(start - 1));
  if (!opens) return -(start + 1);
  let closer = closers.get(quote);
  if (closer === undefined) closers.set(quote, (closer = new Closers(text, quote)));
  const end = closer.after(start);
  return end < 0 ? -(start + 1) : end + 1;
}

/** Where the quotations of one kind can end; asked with growing positions, so that the whole takes one pass. */
class Closers {
  readonly #text: string;
  readonly #quote: string;
  #next = 0;

  constructor(text: string, quote: string) {
    this.#text = text;
    this.#quote = quote;
  }

  /** -1: there is none any more. */
  after(position: number): number {
    if (this.#next >= 0 && this.#next <= position) {
      this.#next = position;
      do this.#next = this.#text.indexOf(this.#quote, this.#next + 1);
      while (this.#next >= 0 && !this.#closes(this.#next));
    }
    return this.#next;
  }

  #closes(position: number): boolean {
    const isLast = position === this.#text.length - 1;
    return this.#quote !== "'" || isLast || CLOSES_BEFORE.test(this.#text.charAt(position + 1));
  }
}

/** A word that is not plain; see {@link endOfWord}. */
function masked(word: string): string {
  if (ALL_DIGITS.test(word)) return NUMBER;
  if (word.includes('@') && ADDRESS.test(word)) return EMAIL;
  if (!ANY_DIGIT.test(word)) return maskIds(word);
  if (isIpv6(word)) return IP;
  if (word.length === MAC_LENGTH && MAC.test(word)) return ID;
  let rest = word.length >= UUID_LENGTH ? word.replace(UUID, ID) : word;
  if (rest.includes('.')) rest = rest.replace(IPV4, IP);
  const marked = maskIds(rest).replace(NUMBERS, NUMBER);
  // Without its numbers it may be told to be an id by its letters.
  return SOME_UPPERS.test(marked) ? maskIds(marked) : marked;
}

/** Times look like it, but have neither two colons in a row nor eight groups. */
function isIpv6(word: string): boolean {
  const colons = word.indexOf(':');
  if (colons < 0 || !IPV6.test(word)) return false;
  return word.includes('::') || word.split(':').length === 8;
}
