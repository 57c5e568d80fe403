import { codeAt } from './code-at.js';

/**
 * How far past the first `/`, `?` or `#` an unescaped password is looked for. It bounds the work per `://`, so
 * that the whole scan stays linear; passwords are shorter than this.
 */
const MAX_UNESCAPED = 256;

const SLASH = 0x2f;
const QUESTION = 0x3f;
const HASH = 0x23;
const AT = 0x40;
const COLON = 0x3a;

/**
 * Replaces the user information of every URL in a text, `redis://app:secret@host` becoming
 * `redis://[Redacted]@host`. All of it goes, not the password alone: of `https://<token>:x-oauth-basic@github.com`
 * the user is the secret. Linear in the length of the text, and free when it holds no `://`.
 *
 * @param mark what stands in its place; the empty string removes the `@` as well.
 */
export function stripUserinfo(text: string, mark: string): string {
  let scheme = text.indexOf('://');
  if (scheme === -1) return text;
  let result = '';
  let copied = 0;
  while (scheme !== -1) {
    const start = scheme + 3;
    const end = authorityEnd(text, start);
    const at = userinfoEnd(text, start, end);
    if (at !== -1) {
      result += text.slice(copied, start) + mark;
      copied = mark === '' ? at + 1 : at;
    }
    scheme = text.indexOf('://', Math.max(end, at));
  }
  return copied === 0 ? text : result + text.slice(copied);
}

/** Where the authority ends: at the path, the query, the fragment, or at what cannot stand in a URL. */
function authorityEnd(text: string, start: number): number {
  let index = start;
  while (index < text.length && !endsUrl(codeAt(text, index)) && !endsAuthority(codeAt(text, index))) index++;
  return index;
}

/** The index of the `@` that ends the user information, or -1 when there is none. */
function userinfoEnd(text: string, start: number, end: number): number {
  for (let index = end - 1; index >= start; index--) {
    if (codeAt(text, index) === AT) return index;
  }
  return end < text.length && looksUnescaped(text, start, end) ? unescapedEnd(text, end) : -1;
}

/** `host:word` is no host and port: people paste passwords with a `/` or `#` into URLs without escaping them. */
function looksUnescaped(text: string, start: number, end: number): boolean {
  let index = start;
  while (index < end && codeAt(text, index) !== COLON) index++;
  if (index === end || codeAt(text, start) === 0x5b /* [: an IPv6 host */) return false;
  if (index === end - 1) return true;
  for (index++; index < end; index++) {
    const code = codeAt(text, index);
    if (code < 0x30 || code > 0x39) return true;
  }
  return false;
}

function unescapedEnd(text: string, from: number): number {
  const limit = Math.min(text.length, from + MAX_UNESCAPED);
  for (let index = from; index < limit; index++) {
    const code = codeAt(text, index);
    if (code === AT) return index;
    if (endsUrl(code)) return -1;
  }
  return -1;
}

/** White space, controls, and the quotes and brackets that people and JSON put around URLs. */
function endsUrl(code: number): boolean {
  return code <= 0x20 || code === 0x22 || code === 0x3c || code === 0x3e || code === 0x5c || code === 0x60;
}

function endsAuthority(code: number): boolean {
  return code === SLASH || code === QUESTION || code === HASH;
}
