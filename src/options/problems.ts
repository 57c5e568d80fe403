import { maskUrl } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';

/** Enough to recognise a value by, not enough to carry one away. */
const MAX_SHOWN = 60;

/** Collects everything that is wrong, so that a user corrects all of it at once. */
export class Problems {
  readonly #lines: string[] = [];
  #firstSubject: string | undefined;

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** `subject`: option path or environment variable. `text`: what was given and what to do, one sentence each. */
  add(subject: string, text: string): void {
    this.#firstSubject ??= subject;
    this.#lines.push(`- ${subject}: ${text}.`);
  }

  /** What an error made by `toError` holds. */
  addAll(error: RedisLogError): void {
    for (const line of error.message.split('\n')) {
      const colon = line.indexOf(': ');
      if (line.startsWith('- ') && colon > 0) this.add(line.slice(2, colon), line.slice(colon + 2, -1));
    }
  }

  toError(): RedisLogError {
    const count = this.#lines.length === 1 ? '1 problem' : `${this.#lines.length} problems`;
    const message = [`The options of nestjs-redis-log have ${count}:`, ...this.#lines].join('\n');
    return new RedisLogError('REDIS_LOG_INVALID_OPTIONS', message, { subject: this.#firstSubject });
  }
}

/** A value as a message may show it: no password, no contents of objects, and short. */
export function describeValue(value: unknown): string {
  if (typeof value === 'string') {
    return quote(value.includes('://') || value.includes('@') ? maskUrl(value) : value);
  }
  if (typeof value === 'bigint') return quote(`${value}n`);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

/** The same for `connection`, where any text may be or hold a password. */
export function describeConnection(value: unknown): string {
  return typeof value === 'string' ? quote(maskUrl(value)) : describeValue(value);
}

function quote(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text);
}

/** The candidate that a mistyped name most likely means; undefined when none is near. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const limit = name.length < 5 ? 1 : 2;
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) > limit) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Optimal string alignment: insertions, deletions, replacements and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swappable = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swapped = swappable ? at(beforeLast, column - 2) + 1 : Infinity;
      current.push(Math.min(replaced, swapped, at(last, column) + 1, at(current, column - 1) + 1));
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(distances: readonly number[], index: number): number {
  return distances[index] ?? Infinity;
}
