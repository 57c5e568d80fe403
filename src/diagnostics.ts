import { Console } from 'node:console';
import { channel } from 'node:diagnostics_channel';
import { hintFor, NO_ANSWER, NOT_CONNECTED } from './error-hints.js';
import { isRedisLogError } from './errors.js';

/** What subscribers of {@link DIAGNOSTICS_CHANNEL} receive; `suppressed` counts earlier ones not told. */
export interface DiagnosticEvent {
  readonly level: 'info' | 'warn' | 'error';
  readonly key: string;
  readonly message: string;
  readonly suppressed: number;
}

/** The `node:diagnostics_channel` that gets every line written here; OpenTelemetry's `diag` is fed from it. */
export const DIAGNOSTICS_CHANNEL = 'nestjs-redis-log:diagnostics';

/**
 * What this package says about itself. It goes to stderr and never to the user's logger, which may well be
 * the thing that is in trouble. One line per key and interval; the next line tells how many were left out.
 * No method throws, even when stderr is closed.
 */
export interface Diagnostics {
  info(key: string, message: string): void;
  warn(key: string, message: string): void;
  error(key: string, message: string): void;
}

export interface DiagnosticsOptions {
  /** Takes one line without its line break. Default: stderr. */
  readonly write?: (line: string) => void;
  /** A monotonic clock in milliseconds. Default `performance.now`. */
  readonly now?: () => number;
  /** The least time between two lines of one key, in milliseconds. Default 10,000. */
  readonly intervalMs?: number;
}

const LABELS = { info: '', warn: 'warning: ', error: 'error: ' } as const;
const DEFAULT_INTERVAL_MS = 10_000;

/** Keys may carry names that come from outside, such as streams, so their number has a bound. */
const MAX_KEYS = 256;

/** Long enough for every text of ours, and for a record with the stack of its error that is quoted in one. */
const MAX_LINE_LENGTH = 8_000;

const events = channel(DIAGNOSTICS_CHANNEL);
let stderr: Console | undefined;

/**
 * A Console, because a plain write to a closed stderr emits an `error` event, which nobody hears and which
 * then ends the process; Console takes that event in, and still goes through a patched `process.stderr.write`.
 */
function writeToStderr(line: string): void {
  stderr ??= new Console({ stdout: process.stderr, stderr: process.stderr, ignoreErrors: true });
  stderr.error(line);
}

/** One line whatever a message holds: control characters could forge lines or drive a terminal. */
function oneLine(text: string): string {
  const flat = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
  return flat.length > MAX_LINE_LENGTH ? `${flat.slice(0, MAX_LINE_LENGTH)}...` : flat;
}

interface KeyState {
  lastAt: number;
  suppressed: number;
}

class RateLimitedDiagnostics implements Diagnostics {
  readonly #write: (line: string) => void;
  readonly #now: () => number;
  readonly #intervalMs: number;
  readonly #keys = new Map<string, KeyState>();
  #publishing = false;

  constructor(options: DiagnosticsOptions) {
    this.#write = options.write ?? writeToStderr;
    this.#now = options.now ?? (() => performance.now());
    this.#intervalMs = options.intervalMs ?? DEFAULT_INTERVAL_MS;
  }

  info(key: string, message: string): void {
    this.#tell('info', key, message);
  }

  warn(key: string, message: string): void {
    this.#tell('warn', key, message);
  }

  error(key: string, message: string): void {
    this.#tell('error', key, message);
  }

  #tell(level: DiagnosticEvent['level'], key: string, message: string): void {
    try {
      const suppressed = this.#take(key);
      if (suppressed < 0) return;
      const text = oneLine(message);
      const more = suppressed === 0 ? '' : ` (and ${suppressed} more like this since the last line)`;
      this.#publish({ level, key, message: text, suppressed });
      this.#write(`[nestjs-redis-log] ${LABELS[level]}${text}${more}`);
    } catch {
      // There is nowhere left to say it.
    }
  }

  /** How many of this key were suppressed before; -1 when this one is suppressed too. */
  #take(key: string): number {
    const now = this.#now();
    const state = this.#keys.get(key);
    if (state === undefined) {
      this.#forgetOldest();
      this.#keys.set(key, { lastAt: now, suppressed: 0 });
      return 0;
    }
    if (now - state.lastAt < this.#intervalMs) {
      state.suppressed++;
      return -1;
    }
    const { suppressed } = state;
    state.lastAt = now;
    state.suppressed = 0;
    return suppressed;
  }

  #forgetOldest(): void {
    if (this.#keys.size < MAX_KEYS) return;
    for (const key of this.#keys.keys()) {
      this.#keys.delete(key);
      return;
    }
  }

  /** A subscriber that logs through us could cause the next diagnostic, and so on without end. */
  #publish(event: DiagnosticEvent): void {
    if (this.#publishing || !events.hasSubscribers) return;
    this.#publishing = true;
    try {
      events.publish(event);
    } finally {
      this.#publishing = false;
    }
  }
}

export function createDiagnostics(options: DiagnosticsOptions = {}): Diagnostics {
  return new RateLimitedDiagnostics(options);
}

const SCHEME = /^[a-z][a-z0-9+.-]{0,15}:\/\//i;
const HOST_AND_PATH = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:\/[a-z0-9._/-]*)?$/i;
const BARE_HOST = /^(?:localhost|[a-z0-9._-]+:\d{1,5}|\[[0-9a-f:.]+\]:\d{1,5})$/i;
const FILE_PATH = /^\/[a-z0-9._/-]*$/i;

/**
 * A URL as it may stand in a message: user, password, query and fragment are masked (ioredis takes a password
 * from the query too). Text in which no host can be told from a password is masked whole. Never throws.
 */
export function maskUrl(text: string): string {
  const scheme = SCHEME.exec(text)?.[0] ?? '';
  const rest = text.slice(scheme.length);
  // The last one: passwords that should be percent-encoded and are not may hold an @ themselves.
  const at = rest.lastIndexOf('@');
  const location = rest.slice(at + 1);
  const end = location.search(/[?#]/);
  const host = end < 0 ? location : location.slice(0, end);
  const user = at < 0 ? '' : '***@';
  const query = end < 0 ? '' : '?***';
  return `${scheme}${user}${isPlace(host, scheme !== '' || at >= 0) ? host : '***'}${query}`;
}

function isPlace(text: string, afterSchemeOrUser: boolean): boolean {
  if (FILE_PATH.test(text)) return true;
  return (afterSchemeOrUser ? HOST_AND_PATH : BARE_HOST).test(text);
}

/** What may follow is the message of whatever the last of the Sentinels failed with. */
const NO_SENTINEL = 'All sentinels are unreachable and retry is disabled.';

/** Messages of ioredis that are constant texts, so that they may be shown whole. */
const CONSTANT_MESSAGES: ReadonlyMap<string, string> = new Map([
  ['Connection is closed.', NOT_CONNECTED],
  ["Stream isn't writeable and enableOfflineQueue options is false", NOT_CONNECTED],
  ["Cluster isn't ready and enableOfflineQueue options is false", NOT_CONNECTED],
  ['Command timed out', NO_ANSWER],
  ['connect ETIMEDOUT', NO_ANSWER],
  [NO_SENTINEL, 'none of them named a master; check sentinels, name and sentinelPassword in `connection`'],
  ['None of startup nodes is available', 'no node of the cluster answered; check `connection`'],
  ['Failed to refresh slots cache.', 'no node of the cluster answered; check `connection`'],
]);

const NAME = /^[A-Za-z_$][\w$]{0,63}$/;
const CODE = /^[A-Z][A-Z0-9_/]{1,63}$/;
const REPLY_CODE = /^-?([A-Z][A-Z0-9_]{1,31}) /;
const FIRST_WORD = /^([A-Za-z]{1,32}) /;
const PLACE = /^[\w.:/-]{1,255}$/;
const MAX_CAUSES = 4;

/**
 * What may be told of an error: its name, its code and the first word of its message, or for well-known errors
 * the place and what to do. Errors of ioredis carry passwords and record bodies, so nothing else is taken over.
 * Total: never throws, whatever was thrown.
 */
export function describeError(error: unknown): string {
  try {
    return describe(error);
  } catch {
    return 'an error that cannot be read';
  }
}

function describe(error: unknown): string {
  if (!isFields(error)) return `a thrown ${error === null ? 'null' : typeof error}`;
  // Messages of ours hold no password and no record: see RedisLogError.
  if (isRedisLogError(error)) return `${error.code}: ${String(error.message)}`;
  const name = match(NAME, error['name']) ?? 'Error';
  const message = typeof error['message'] === 'string' ? error['message'] : '';
  const explained = explain(error);
  if (explained !== undefined) return `${name} ${explained}`;
  const constant = message.startsWith(NO_SENTINEL) ? NO_SENTINEL : message;
  const hint = CONSTANT_MESSAGES.get(constant);
  if (hint !== undefined) return `${name}: ${constant} (${hint})`;
  const code = match(CODE, error['code']);
  const word = REPLY_CODE.exec(message)?.[1] ?? FIRST_WORD.exec(message)?.[1];
  return [name, code, word === code ? undefined : word].filter((part) => part !== undefined).join(' ');
}

/** The first of an error and its causes that has a code we know: cluster and address errors wrap theirs. */
function explain(error: Readonly<Record<string, unknown>>): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && isFields(current); depth++) {
    const code = match(CODE, current['code']) ?? match(REPLY_CODE, current['message']);
    const hint = hintFor(code, current['message']);
    if (hint !== undefined) return `${code}${placeOf(current)} (${hint})`;
    current = innerError(current);
  }
  return undefined;
}

function innerError(error: Readonly<Record<string, unknown>>): unknown {
  const { errors } = error;
  return error['lastNodeError'] ?? error['cause'] ?? (Array.isArray(errors) ? errors[0] : undefined);
}

function placeOf(error: Readonly<Record<string, unknown>>): string {
  const host = match(PLACE, error['address'] ?? error['hostname']);
  if (host !== undefined) return ` ${host}${typeof error['port'] === 'number' ? `:${error['port']}` : ''}`;
  // Node tries every address of a name and reports an AggregateError, which has the code but no address.
  const { errors } = error;
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  return isFields(first) && first !== error && !('errors' in first) ? placeOf(first) : '';
}

/** The first group, or all that matched; undefined for everything else. */
function match(pattern: RegExp, value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const found = pattern.exec(value);
  return found?.[1] ?? found?.[0];
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
