import { entryValues } from '../codec/entry.js';
import type { Diagnostics } from '../diagnostics.js';
import type { LogRecord } from '../record/log-record.js';
import type { DropReason, LogStats } from '../pipeline/account.js';
import type { EntryView } from '../pipeline/lane.js';
import type { PipelineEvents } from '../pipeline/pipeline-parts.js';
import type { Failure, StoreState } from '../pipeline/ports.js';

/** Dropped errors printed per second; beyond that they are counted. */
const PRINTED_PER_SECOND = 10;
const ERROR_SEVERITY = 17;
const MAX_PRINTED = 500;

/** Says on stderr what the write path goes through: one line per change of state, in words that help. */
export class Reporter implements PipelineEvents {
  readonly #diagnostics: Diagnostics;
  readonly #address: string;
  readonly #stats: () => LogStats;
  readonly #now: () => number;
  readonly #troubled = new Map<string, string>();
  #unreachable = false;
  #printed = 0;
  #printingSince = 0;
  #unprinted = 0;

  constructor(
    diagnostics: Diagnostics,
    about: { address: string; stats: () => LogStats; now: () => number },
  ) {
    this.#diagnostics = diagnostics;
    this.#address = about.address;
    this.#stats = about.stats;
    this.#now = about.now;
  }

  connection(state: StoreState, reason: string | undefined): void {
    if (state === 'closed' && reason !== undefined) {
      this.#diagnostics.error('connection:unusable', reason);
    } else if (state === 'waiting' && !this.#unreachable) {
      this.#unreachable = true;
      const waiting = 'Records wait in memory and are sent when it answers.';
      this.#diagnostics.warn(
        'connection:lost',
        `Redis at ${this.#address} is not usable: ${reason}. ${waiting}`,
      );
    } else if (state === 'ready' && this.#unreachable) {
      this.#unreachable = false;
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
    const isLinkFailure = mayBeStored || failure.token === 'UNSENT';
    if (isLinkFailure || this.#troubled.get(stream) === failure.token) return;
    this.#troubled.set(stream, failure.token);
    const text = `Stream ${stream}: ${failure.text}. Records wait in memory until that is mended.`;
    this.#diagnostics.error(`stream:${stream}:${failure.token}`, text);
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

  /** The process ends without having closed us. */
  exiting(): void {
    const { queued, inFlight } = this.#stats();
    if (queued + inFlight === 0) return;
    const text = `The process ends with ${queued} log records waiting and ${inFlight} sent but not confirmed.`;
    this.#diagnostics.warn('exit', `${text} Await app.close(), flush() or close() before it does.`);
  }

  /** A dropped record is counted; an ERROR or FATAL is printed besides, since it may be the one that matters. */
  dropped(reason: DropReason, entry: EntryView | undefined, record: LogRecord | undefined): void {
    if (reason !== 'sampled' && reason !== 'rate_limited') {
      this.#diagnostics.warn(
        `dropped:${reason}`,
        `A record was dropped (${reason}); stats() counts all of them.`,
      );
    }
    const line = entry === undefined ? lineOfAny(record, reason) : lineOfEntry(entry);
    if (line !== undefined) this.#print(reason, line);
  }

  #print(reason: DropReason, line: string): void {
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
    this.#diagnostics.error(`record:${now}:${this.#printed}`, `not stored (${reason})${more}: ${line}`);
  }
}

/** A hostile record, with a getter that throws or of a shape that is none, is only counted. */
function lineOfAny(record: LogRecord | undefined, reason: DropReason): string | undefined {
  try {
    return lineOfRecord(record, reason);
  } catch {
    return undefined;
  }
}

/** Whatever comes too late is printed, since nobody else will ever see it; before that, what may matter most. */
function lineOfRecord(record: LogRecord | undefined, reason: DropReason): string | undefined {
  if (record === undefined) return undefined;
  if (reason !== 'closed' && !((record.severityNumber ?? 0) >= ERROR_SEVERITY)) return undefined;
  const body = typeof record.body === 'string' ? record.body : '(a message that is not text)';
  return compose([record.severityText ?? 'error', record.instrumentationScope.name, body]);
}

function lineOfEntry(entry: EntryView): string | undefined {
  const { template, bytes, start, end } = entry;
  const constant = (name: string): string => {
    const value = template.fields.find((field) => field.name === name)?.value;
    return typeof value === 'string' ? value : '';
  };
  if (!(Number(constant('severity_number')) >= ERROR_SEVERITY)) return undefined;
  const body = entryValues(template, bytes.subarray(start + template.idBytes.length, end))[1] ?? '';
  return compose([constant('severity_text'), constant('otel.scope.name'), body]);
}

function compose(parts: readonly string[]): string {
  const line = parts.filter((part) => part !== '').join(' ');
  return line.length > MAX_PRINTED ? `${line.slice(0, MAX_PRINTED)}...` : line;
}
