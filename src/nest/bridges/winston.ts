import { Writable } from 'node:stream';
import { isErrorLike } from '../../record/exception.js';
import type { Attributes } from '../../record/log-record.js';
import { Bridge, type BridgeOptions, type ForeignRecord, revivedError } from './bridge.js';

export interface RedisLogWinstonTransportOptions extends BridgeOptions {
  /** The least severe level to take, in the words of the logger's levels. Default: the logger's own level. */
  readonly level?: string;
}

/** The part of a winston logger that a transport reads. */
interface Parent {
  readonly levels?: Readonly<Record<string, number>>;
  readonly level?: string;
}

/** Where winston keeps what formats may have changed, and the arguments after the message. */
const LEVEL = Symbol.for('level');
const SPLAT = Symbol.for('splat');

/** npm's and syslog's levels, as OpenTelemetry maps them; others count as INFO. */
const SEVERITIES: Readonly<Record<string, number>> = {
  silly: 1,
  trace: 1,
  debug: 5,
  verbose: 6,
  http: 7,
  info: 9,
  log: 9,
  notice: 10,
  warn: 13,
  warning: 13,
  error: 17,
  crit: 18,
  alert: 19,
  emerg: 21,
  fatal: 21,
};
const INFO = 9;

/** Told by the record itself. */
const OF_THE_RECORD = new Set(['level', 'message', 'timestamp', 'context', 'stack']);

/**
 * A winston transport, for nest-winston or without it: sends what winston logs into the stream too, through the exporter's
 * queue and account, with the active span and the attributes of `RedisLogContext`. It needs nothing of winston's. Formats
 * of the logger apply, colours and time stamps are left aside. `logger.end()` is finished when all has been sent; the
 * exporter stays open for its owner.
 *
 * @example
 * WinstonModule.forRootAsync({
 *   inject: [RedisLogRecordExporter],
 *   useFactory: (exporter: RedisLogRecordExporter) => ({
 *     transports: [new transports.Console(), new RedisLogWinstonTransport({ exporter })],
 *   }),
 * });
 */
export class RedisLogWinstonTransport extends Writable {
  level?: string;
  #parent: Parent | undefined;
  readonly #bridge: Bridge;

  /** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS` without an exporter */
  constructor(options: RedisLogWinstonTransportOptions) {
    super({ objectMode: true });
    this.#bridge = new Bridge(options);
    if (options.level !== undefined) this.level = options.level;
    // winston pipes itself into its transports, and says by that what its levels are.
    this.on('pipe', (logger: unknown) => (this.#parent = logger as Parent));
    this.on('unpipe', () => (this.#parent = undefined));
  }

  /** What winston calls; the callback comes at once, since the record waits in the exporter's queue. */
  log(info: object, callback: () => void): void {
    this.#bridge.write(() => readInfo(info as Info));
    callback();
  }

  override _write(info: object, _encoding: string, callback: () => void): void {
    if (this.#isEnabled(info as Info)) this.log(info, callback);
    else callback();
  }

  override _final(callback: () => void): void {
    this.#bridge.flush(callback);
  }

  #isEnabled(info: Info): boolean {
    const { levels, level: parentLevel } = this.#parent ?? {};
    const least = levels?.[this.level ?? parentLevel ?? ''];
    const own = levels?.[levelOf(info)];
    return least === undefined || own === undefined || own <= least;
  }
}

interface Info extends Attributes {
  readonly [LEVEL]?: unknown;
  readonly [SPLAT]?: unknown;
}

function readInfo(info: Info): ForeignRecord {
  const level = levelOf(info);
  const error = errorOf(info);
  const { context, message } = info;
  return {
    severityNumber: SEVERITIES[level] ?? INFO,
    severityText: level,
    message,
    context: typeof context === 'string' ? context : undefined,
    error,
    stack: error === undefined ? stackOf(info) : undefined,
    attributes: attributesOf(info, error),
  };
}

/** The word before any format coloured it. */
function levelOf(info: Info): string {
  const level = info[LEVEL] ?? info['level'];
  return typeof level === 'string' ? level : '';
}

/** The error that was logged: after the message, as nest-winston's `error`, or in the place of the whole record. */
function errorOf(info: Info): object | undefined {
  const splat = info[SPLAT];
  const given: unknown[] = Array.isArray(splat) ? splat : [];
  const after = [...given, info['error']].find(isErrorLike);
  if (after instanceof Error && LEVEL in after) return withoutMarks(after);
  if (after !== undefined) return after as object;
  return info instanceof Error ? withoutMarks(info) : undefined;
}

/** An error that was itself the record, now or earlier: winston has written the level and more into it. */
function withoutMarks(error: Error): object {
  const { level: _, timestamp: __, ...own } = error as Error & Attributes;
  const { name, message, stack, cause } = error;
  return revivedError({ ...own, name, message, stack, cause });
}

/** nest-winston gives the stack as a list. */
function stackOf({ stack }: Info): string | undefined {
  const first: unknown = Array.isArray(stack) ? stack[0] : stack;
  return typeof first === 'string' ? first : undefined;
}

/** What is left; winston copies the properties of an error into the record, where they would be there twice. */
function attributesOf(info: Info, error: object | undefined): Attributes {
  const attributes: Attributes = {};
  if (info instanceof Error) return attributes;
  for (const [name, value] of Object.entries(info)) {
    const isTold = OF_THE_RECORD.has(name) || value === error;
    if (!isTold && (error as Attributes | undefined)?.[name] !== value) attributes[name] = value;
  }
  const { context } = info;
  if (context !== undefined && typeof context !== 'string') attributes['context'] = context;
  return attributes;
}
