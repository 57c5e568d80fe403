import { RedisLogError } from '../errors.js';

/** One step of a path: a name, or `undefined` for `*`, which is any name or index. */
export type PathStep = string | undefined;

/** Censors the user information of URLs, wherever a string holds one. */
const URLS_PATH = '**://';

/** Censors what follows one of the `**` names in any string, as in `password=...`. */
const TEXTS_PATH = '**=';

/** Any name that ends with this one. */
const ENDING = /^\*\*\.\*([\w-]+)$/;

/** What one entry of `redact.paths` asks for. */
export type RedactRule =
  | { readonly kind: 'path'; readonly steps: readonly PathStep[] }
  | { readonly kind: 'anywhere'; readonly name: string }
  | { readonly kind: 'ending'; readonly name: string }
  | { readonly kind: 'urls' }
  | { readonly kind: 'texts' };

/**
 * Reads one path.
 *
 * pino's syntax: `password`, `headers.cookie`, `users[*].token`, `users[0].token`, `*.secret`, `headers.*`,
 * `["x-api-key"]`, `headers["x-api-key"]`. `*` is any name or index, at one level; case matters.
 *
 * Beside it, four forms of our own: `**.name` (or `**["name"]`) is the key `name` at any depth, whatever its
 * case and with or without `-` and `_`, and also the last part of a dotted name such as
 * `http.request.header.name`; `**.*name` is every such key that ends with `name`; `**://` is the user information of URLs
 * in any string; and `**=` is what follows one of the `**` names in any string: `?token=x`, `Password=x;`,
 * `Authorization: Bearer x`, `"apiKey":"x"`, and credentials that have no name: `Bearer x`, `curl -u user:x`.
 *
 * @throws RedisLogError REDIS_LOG_INVALID_OPTIONS when the path follows neither.
 */
export function parseRedactPath(path: unknown): RedactRule {
  if (typeof path !== 'string' || path === '') throw invalid(path, 'it is not a text, or empty');
  if (path === URLS_PATH) return { kind: 'urls' };
  if (path === TEXTS_PATH) return { kind: 'texts' };
  if (!path.startsWith('**')) return { kind: 'path', steps: readSteps(path, 0) };
  const ending = ENDING.exec(path)?.[1];
  if (ending !== undefined && foldName(ending) !== '') return { kind: 'ending', name: ending };
  if (path[2] !== '.' && path[2] !== '[') throw invalid(path, 'after "**" comes a dot or a bracket');
  const steps = readSteps(path, path[2] === '.' ? 3 : 2);
  const [name] = steps;
  if (steps.length !== 1 || name === undefined || foldName(name) === '') {
    throw invalid(path, 'after "**" comes exactly one name');
  }
  return { kind: 'anywhere', name };
}

function readSteps(path: string, start: number): PathStep[] {
  const steps: PathStep[] = [];
  let position = start;
  while (position < path.length || steps.length === 0) {
    const isBracket = path[position] === '[';
    const end = isBracket ? bracketEnd(path, position) : nameEnd(path, position);
    steps.push(isBracket ? bracketStep(path, position, end) : nameStep(path, position, end));
    position = end;
    if (path[position] === '.') {
      position++;
      if (position === path.length || path[position] === '[')
        throw invalid(path, 'a name is missing after a dot');
    }
  }
  return steps;
}

function nameEnd(path: string, start: number): number {
  let end = start;
  while (end < path.length && path[end] !== '.' && path[end] !== '[') end++;
  return end;
}

function nameStep(path: string, start: number, end: number): PathStep {
  const name = path.slice(start, end);
  if (name === '*') return undefined;
  if (name === '') throw invalid(path, 'a name is missing');
  if (name.includes('*') || name.includes(']')) {
    throw invalid(path, `"${name}" needs to be written ["${name}"]`);
  }
  return name;
}

/** One past the `]`. A quoted name may hold brackets. */
function bracketEnd(path: string, start: number): number {
  const quote = path[start + 1] ?? '';
  const isQuoted = isQuote(quote);
  const close = isQuoted ? path.indexOf(`${quote}]`, start + 2) + 1 : path.indexOf(']', start);
  if (close <= start) throw invalid(path, 'a bracket is not closed');
  const next = path[close + 1];
  if (next !== undefined && next !== '.' && next !== '[') {
    throw invalid(path, 'after a bracket comes a dot or a bracket');
  }
  return close + 1;
}

function bracketStep(path: string, start: number, end: number): PathStep {
  const inner = path.slice(start + 1, end - 1);
  if (inner === '*') return undefined;
  if (isQuote(inner[0] ?? '')) return inner.slice(1, -1);
  if (inner === '' || Number.isNaN(Number(inner))) {
    throw invalid(path, 'a name in brackets needs quotes');
  }
  return inner;
}

function isQuote(char: string): boolean {
  return char === '"' || char === "'" || char === '`';
}

function invalid(path: unknown, why: string): RedisLogError {
  const shown = typeof path === 'string' ? `"${path}"` : `a ${typeof path}`;
  return new RedisLogError(
    'REDIS_LOG_INVALID_OPTIONS',
    `redact: ${shown} is no path: ${why}. Write it as in "password", "headers.cookie", "users[*].token", ` +
      `'["x-api-key"]' or "**.secret".`,
    { subject: 'redact' },
  );
}

/** `apiKey`, `api_key` and `API-Key` are one name to `**` rules. */
export function foldName(name: string): string {
  return name.replaceAll('-', '').replaceAll('_', '').toLowerCase();
}
