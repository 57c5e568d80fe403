import { decodeLogRecord } from '../codec/decode.js';
import { entryValues } from '../codec/entry.js';
import { type Template, VARIABLE } from '../codec/template.js';
import { encodeBody, encodeValue } from '../codec/value.js';
import type { Diagnostics } from '../diagnostics.js';
import type { LogRecord } from '../record/log-record.js';
import { type DropReason, LEFT_OUT, type LogStats } from '../pipeline/account.js';
import type { EntryView } from '../pipeline/lane.js';
import type { PipelineEvents } from '../pipeline/pipeline-parts.js';
import type { Failure, StoreState } from '../pipeline/ports.js';
import { NODE, UNSENT } from './failure.js';

/** Dropped errors printed per second; beyond that they are counted. */
const PRINTED_PER_SECOND = 10;
const ERROR_SEVERITY = 17;
/** Of one record; below what a line of ours has room for. */
const MAX_PRINTED = 7_900;
const STACK = 'exception.stacktrace';
const UNREADABLE = 'a record that cannot be read';
/** Codes that all say no more than that nobody is there; which of them it is may change from try to try. */
const GONE = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);
const ROLLED_BACK =
  'Redis has lost records that it had confirmed, more than are kept to be sent again, as after a failover or a crash';
/** States of a server that end without anybody's doing. */
const PASSING = new Set(['LOADING', 'BUSY', 'MASTERDOWN', 'TRYAGAIN']);

/** Says on stderr what the write path goes through: one line per change of state, in words that help. */
export class Reporter implements PipelineEvents {
  readonly #diagnostics: Diagnostics;
  readonly #address: string;
  readonly #stats: () => LogStats;
  readonly #now: () => number;
  readonly #drop: (reason: DropReason) => void;
  readonly #troubled = new Map<string, string>();
  /** Why Redis is not usable: `gone`, or the word for it. */
  #outage: string | undefined;
  #printed = 0;
  #printingSince = 0;
  #unprinted = 0;
  #hasWarnedOfFeedback = false;
  readonly #overtaken = new Set<string>();

  constructor(
    diagnostics: Diagnostics,
    about: { address: string; stats: () => LogStats; now: () => number; drop: (reason: DropReason) => void },
  ) {
    this.#diagnostics = diagnostics;
    this.#address = about.address;
    this.#stats = about.stats;
    this.#now = about.now;
    this.#drop = about.drop;
  }

  /** An outage is told when it begins, and again when it turns out to be another one: a password that is wrong by now. */
  connection(state: StoreState, reason: string | undefined, cause?: string): void {
    if (state === 'closed' && reason !== undefined) {
      this.#diagnostics.error('connection:unusable', reason);
    } else if (state === 'waiting') {
      const outage = cause === undefined || GONE.has(cause) ? 'gone' : cause;
      if (this.#outage === outage) return;
      this.#outage = outage;
      const waiting = 'Records wait and are sent when it answers.';
      this.#diagnostics.warn(
        `connection:lost:${outage}`,
        `Redis at ${this.#address} is not usable: ${reason}. ${waiting}`,
      );
    } else if (state === 'ready' && this.#outage !== undefined) {
      this.#outage = undefined;
      const { queued, inFlight } = this.#stats();
      const waiting = queued + inFlight;
      this.#diagnostics.info(
        'connection:back',
        `Redis at ${this.#address} answers again; ${waiting} records follow.`,
      );
    }
  }

  trouble(stream: string, failure: Failure | undefined): void {
    if (failure === undefined) {
      if (this.#troubled.size === 0 || !this.#troubled.delete(stream)) return;
      this.#diagnostics.info(`stream:${stream}:works`, `Stream ${stream}: records are stored again.`);
      return;
    }
    if (failure.kind === 'record') {
      const text = `Stream ${stream}: Redis refused a record (${failure.text}); it is set aside, the others go on.`;
      this.#diagnostics.error(`stream:${stream}:record`, text);
      return;
    }
    const mayBeStored = failure.kind !== 'circuit' && failure.persisted === 'possibly';
    const isOfStream = failure.token === NODE || failure.refusal === 'answered';
    // What ends the whole connection is told once, and not for each stream.
    const isLinkFailure = !isOfStream && (mayBeStored || failure.token === UNSENT);
    if (isLinkFailure || this.#troubled.get(stream) === failure.token) return;
    this.#troubled.set(stream, failure.token);
    const passes = PASSING.has(failure.token);
    const text = `Stream ${stream}: ${failure.text}. Records wait until that ${passes ? 'has passed' : 'is mended'}.`;
    // An error is for somebody to act upon.
    this.#diagnostics[passes ? 'warn' : 'error'](`stream:${stream}:${failure.token}`, text);
  }

  weakened(failure: Failure): void {
    const advice =
      'Records are delivered at least once instead of exactly once. Allow +eval and +evalsha, or set delivery to "at-least-once".';
    this.#diagnostics.warn('delivery:weakened', `Redis lets us run no scripts (${failure.text}). ${advice}`);
  }

  trimFailed(stream: string, failure: Failure): void {
    const advice =
      'The stream grows until that is mended; set retention to false if it is trimmed elsewhere.';
    this.#diagnostics.warn(
      `stream:${stream}:trim`,
      `Stream ${stream} cannot be trimmed: ${failure.text}. ${advice}`,
    );
  }

  resourceFailed(stream: string, failure: Failure): void {
    const advice = 'Its records are stored all the same, without the resource that they refer to.';
    this.#diagnostics.warn(
      `stream:${stream}:resource`,
      `Stream ${stream}: its key of resources cannot be written (hsetnx, zadd): ${failure.text}. ${advice}`,
    );
  }

  groupMissing(stream: string, group: string): void {
    const name = JSON.stringify(group);
    this.#diagnostics.warn(
      `stream:${stream}:keep:${group}`,
      `Stream ${stream} has no group ${name}, which retention.keepFor names: nothing is kept for it until it exists.`,
    );
  }

  /** Once for each stream: from then on it goes on for as long as the group is too slow. */
  trimmedUnacknowledged(stream: string, group: string, count: number): void {
    if (this.#overtaken.has(stream)) return;
    this.#overtaken.add(stream);
    const what = `${count} entries were removed that its group ${JSON.stringify(group)} has not acknowledged`;
    this.#diagnostics.error(
      `stream:${stream}:hard`,
      `Stream ${stream} has reached retention.hardMaxLength: ${what}. stats() counts further ones. Add consumers, or raise that limit.`,
    );
  }

  /** The process ends without having closed us; `abandon` makes sure of what can still be made sure of. */
  exiting(abandon: () => void): void {
    const { queued, inFlight, spooled } = this.#stats();
    abandon();
    const kept = this.#stats().spooled - spooled;
    if (queued + inFlight === kept) return;
    const waiting = `The process ends with ${queued} log records waiting and ${inFlight} sent but not confirmed`;
    const text = kept === 0 ? `${waiting}.` : `${waiting}; ${kept} of them are spooled.`;
    this.#diagnostics.warn('exit', `${text} Await app.close(), flush() or close() before it does.`);
  }

  /** A dropped record is counted; an ERROR or FATAL is printed besides, since it may be the one that matters. */
  dropped(reason: DropReason, entry: EntryView | undefined, record: LogRecord | undefined): void {
    this.#drop(reason);
    if (reason === 'feedback') {
      this.#warnOfFeedback();
    } else if (!LEFT_OUT.has(reason)) {
      const what = reason === 'rolled_back' ? ROLLED_BACK : 'A record was dropped';
      this.#diagnostics.warn(`dropped:${reason}`, `${what} (${reason}); stats() counts all of them.`);
    }
    if (isWorthPrinting(reason, entry, record)) this.#print(reason, () => lineOf(recordOf(entry, record)));
  }

  /** Once: a handler that logs does so with every batch. */
  #warnOfFeedback(): void {
    if (this.#hasWarnedOfFeedback) return;
    this.#hasWarnedOfFeedback = true;
    const text =
      'A handler logged into the stream that it reads; it would get that record, too, and so on without end.';
    this.#diagnostics.warn('dropped:feedback', `${text} Such records are printed here instead, and counted.`);
  }

  /** `line` is asked for only where there is room for it: there may be thousands of them in a second. */
  #print(reason: DropReason, line: () => string): void {
    const now = this.#now();
    if (now - this.#printingSince >= 1_000) {
      this.#printingSince = now;
      this.#printed = 0;
    }
    if (this.#printed >= PRINTED_PER_SECOND) {
      this.#unprinted++;
      return;
    }
    this.#printed++;
    const more = this.#unprinted === 0 ? '' : ` (${this.#unprinted} others were not printed)`;
    this.#unprinted = 0;
    // A key of its own for each line: these are records, not repetitions of one message.
    this.#diagnostics.error(`record:${now}:${this.#printed}`, `not stored (${reason})${more}: ${line()}`);
  }
}

/** What comes too late or from a handler is printed, since nobody else will ever see it; else what may matter most. */
function isWorthPrinting(
  reason: DropReason,
  entry: EntryView | undefined,
  record: LogRecord | undefined,
): boolean {
  if (entry !== undefined) return severityOf(entry.template) >= ERROR_SEVERITY;
  if (record === undefined) return false;
  if (reason === 'closed' || reason === 'feedback') return true;
  try {
    return (record.severityNumber ?? 0) >= ERROR_SEVERITY;
  } catch {
    return false;
  }
}

/** It is the same for all records of a template. */
function severityOf({ fields }: Template): number {
  const value = fields.find(({ name }) => name === 'severity_number')?.value;
  return typeof value === 'string' ? Number(value) : 0;
}

/** A queued record is nothing but its values; of it, all is known but the resource. */
function recordOf(entry: EntryView | undefined, record: LogRecord | undefined): LogRecord | undefined {
  if (entry === undefined) return record;
  const { template, bytes, start, end } = entry;
  const values = entryValues(template, bytes.subarray(start + template.idBytes.length, end));
  let next = 0;
  const fields = template.fields.flatMap(({ name, value }) => {
    const text = value === VARIABLE ? values[next++] : value;
    return [name, typeof text === 'string' ? text : ''];
  });
  const decoded = decodeLogRecord(fields);
  return decoded.status === 'ok' ? decoded.record : undefined;
}

/** Level, context, message, attributes and the stack of the error. */
function lineOf(record: LogRecord | undefined): string {
  try {
    const line = record === undefined ? UNREADABLE : partsOf(record).filter(Boolean).join(' ');
    return line.length > MAX_PRINTED ? `${line.slice(0, MAX_PRINTED)}...` : line;
  } catch {
    // A hostile record, with a getter that throws or of a shape that is none.
    return UNREADABLE;
  }
}

function partsOf(record: LogRecord): string[] {
  const { severityNumber = 0, severityText, instrumentationScope, body, attributes } = record;
  const { [STACK]: stack, ...others } = attributes;
  return [
    severityText ?? (severityNumber >= ERROR_SEVERITY ? 'error' : ''),
    instrumentationScope.name,
    typeof body === 'string' ? body : encodeBody(body),
    Object.keys(others).length === 0 ? '' : encodeValue(others),
    typeof stack === 'string' ? stack : '',
  ];
}
