/**
 * Is a text a stack trace? Nest's `ConsoleLogger` asks this of the arguments of `error` (and, from 12 on, of
 * `fatal`) with one regular expression per major version. These functions accept exactly the same texts, but
 * scan once: Nest 11's expression recurses per character of the first line, so a text of some megabytes makes
 * it throw, and a log call must not.
 */

const LF = 10;
const CR = 13;
const LINE_SEPARATOR = 0x2028;
const PARAGRAPH_SEPARATOR = 0x2029;
const SPACE = 32;
const TAB = 9;
const COLON = 58;

/** What a `.` in a regular expression does not match. */
function isLineTerminator(code: number): boolean {
  return code === LF || code === CR || code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Has the line that goes on at `start` a `:line:column`, after at least one other character? */
function hasPosition(text: string, start: number): boolean {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (isLineTerminator(code)) return false;
    at++;
    if (code !== COLON || at - 1 === start) continue;
    const line = at;
    while (isDigit(text.charCodeAt(at))) at++;
    // A second colon that no digit follows may itself open a position, so it is looked at again.
    if (at > line && text.charCodeAt(at) === COLON && isDigit(text.charCodeAt(at + 1))) return true;
  }
  return false;
}

/** Nest 12: some line that is indented by spaces or tabs starts with "at " and has a position. */
export function isStructuredStack(text: string): boolean {
  for (let newline = text.indexOf('\n'); newline !== -1; newline = text.indexOf('\n', newline + 1)) {
    let at = newline + 1;
    let code = text.charCodeAt(at);
    while (code === SPACE || code === TAB) code = text.charCodeAt(++at);
    if (at > newline + 1 && text.startsWith('at ', at) && hasPosition(text, at + 3)) return true;
  }
  return false;
}

/** Nest 11: the first line is not empty, and what follows it, after white space, starts with "at ". */
export function isSeparateStack(text: string): boolean {
  const newline = text.indexOf('\n');
  if (newline < 1) return false;
  const rest = text.slice(newline + 1);
  const frame = rest.trimStart();
  if (frame.length === rest.length || !frame.startsWith('at ') || !hasPosition(frame, 3)) return false;
  for (let at = 0; at < newline; at++) {
    if (isLineTerminator(text.charCodeAt(at))) return false;
  }
  return true;
}
