import type { Attributes } from '../../record/log-record.js';
import type { Redactor } from '../../record/redact.js';

/** Stands for a value that shows its secret only once it is decoded. */
const HIDDEN = '[Redacted]';

/** A text may be escaped again for every URL that it was put into. */
const MAX_ESCAPES = 3;

export function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}

/** The path without what redaction would censor if it were not escaped. What is not, is found in the record itself. */
export function cleanPath(path: string, redactor: Redactor | undefined): string {
  if (redactor === undefined || !hidesSecret(path, redactor)) return path;
  const clean = path
    .split('/')
    .map((part) => (hidesSecret(part, redactor) ? HIDDEN : part))
    .join('/');
  // What stretches over several segments cannot be told from the rest.
  return hidesSecret(clean, redactor) ? `/${HIDDEN}` : clean;
}

/** The query with the values of secret names replaced, and those that hold a secret; undefined where there is none. */
export function queryOf(url: string, redactor: Redactor | undefined): string | undefined {
  const start = url.indexOf('?');
  if (start < 0) return undefined;
  const query = url.slice(start + 1);
  if (redactor === undefined || query === '') return query;
  return query
    .split('&')
    .map((pair) => cleanPair(pair, redactor))
    .join('&');
}

function cleanPair(pair: string, redactor: Redactor): string {
  const equals = pair.indexOf('=');
  const value = pair.slice(equals + 1);
  if (equals >= 0) {
    const name = unescaped(pair.slice(0, equals)).replaceAll('+', ' ');
    const censored = censoredAs(name, value, redactor);
    if (censored !== undefined) return `${pair.slice(0, equals)}=${censored}`;
  }
  // Also where the name and its secret are both in the part that is escaped.
  return hidesSecret(pair, redactor) ? pair.slice(0, equals + 1) + HIDDEN : pair;
}

/** What stands for the value of a secret name; undefined where there is nothing to hide. */
function censoredAs(name: string, value: string, redactor: Redactor): string | undefined {
  // A name such as user[password] holds a secret too.
  const holder: Attributes = {};
  for (const part of new Set([name, ...name.split(/[.[\]]+/)])) if (part !== '') holder[part] = value;
  const names = Object.keys(holder).length;
  redactor.redact(holder);
  const changed = Object.values(holder).find((each) => each !== value);
  // A censor that answers with nothing takes the name away.
  const isClean = changed === undefined && names > 0 && Object.keys(holder).length === names;
  if (isClean) return undefined;
  return typeof changed === 'string' ? changed : HIDDEN;
}

function hidesSecret(text: string, redactor: Redactor): boolean {
  let inner = text;
  for (let round = 0; round < MAX_ESCAPES && inner.includes('%'); round++) {
    inner = unescaped(inner);
    if (redactor.text(inner) !== inner) return true;
  }
  return false;
}

/** Of ASCII only, which all names and marks around secrets are: so that nothing malformed hides the rest. */
function unescaped(text: string): string {
  return text.replace(/%([0-7][\da-f])/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}
