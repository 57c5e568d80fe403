import type { Cluster, Redis } from 'ioredis';
import { decodeLogRecord } from '../../src/codec/decode.js';
import { type LogInput, type LogStats, RedisLogWriter } from '../../src/core.js';
import { createDiagnostics } from '../../src/diagnostics.js';
import type { RedisLogWriterOptions } from '../../src/options/types.js';
import { type Runtime, systemRuntime } from '../../src/pipeline/runtime.js';
import { until } from './until.js';

export const ERROR = 17;
export const INFO = 9;

/** Everything about a record follows from who wrote it and its number, so that a changed one is noticed. */
export function payload(name: string, n: number, severityNumber = severityOf(n)): LogInput {
  return {
    timestamp: [1_763_700_000 + n, n],
    severityNumber,
    body: `${name} ${n} ${'é'.repeat(n % 7)}${'x'.repeat((n * 31) % 113)}`,
    attributes: { n, name, half: n / 2, list: [n % 3, String(n)] },
  };
}

/** Every tenth record is an ERROR. */
export function severityOf(n: number): number {
  return n % 10 === 0 ? ERROR : INFO;
}

export interface Audit {
  /** Numbers in the order of the stream, duplicates too. */
  readonly numbers: readonly number[];
  readonly unique: ReadonlySet<number>;
  readonly duplicates: number;
  readonly inOrder: boolean;
  /** Entries that no record of the oracle could have become. */
  readonly corrupt: readonly string[];
}

type Reader = Pick<Redis | Cluster, 'xrange'>;

const PAGE = 5_000;

/** Reads the whole stream, and holds every entry against what the oracle of that name can have written. */
export async function audit(client: Reader, stream: string, name: string): Promise<Audit> {
  const numbers: number[] = [];
  const corrupt: string[] = [];
  let from = '-';
  for (;;) {
    const page = (await client.xrange(stream, from, '+', 'COUNT', PAGE)) as [string, string[]][];
    for (const [id, fields] of page) {
      const n = numberOf(fields, name);
      if (n === undefined) corrupt.push(`${id} ${fields.join(' ')}`);
      else numbers.push(n);
    }
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) break;
    from = `(${last[0]}`;
  }
  const unique = new Set(numbers);
  const first = [...unique];
  const inOrder = first.every((n, at) => at === 0 || (first[at - 1] ?? 0) < n);
  return { numbers, unique, duplicates: numbers.length - unique.size, inOrder, corrupt };
}

function numberOf(fields: string[], name: string): number | undefined {
  const decoded = decodeLogRecord(fields);
  if (decoded.status === 'malformed') return undefined;
  const { record } = decoded;
  const n = Number(record.attributes['n']);
  const { body, attributes, timestamp, severityNumber } = payload(name, n, record.severityNumber);
  const expected = JSON.stringify([body, attributes, timestamp, severityNumber]);
  const found = JSON.stringify([record.body, record.attributes, record.hrTime, record.severityNumber]);
  return expected === found ? n : undefined;
}

/** Waits between tries at their shortest, so that a test has time for many of them. */
export const IMPATIENT: Runtime = { ...systemRuntime, random: () => 0 };

/** A writer whose records are numbered, whose messages are kept, and whose account is checked whenever it is read. */
export class OracleWriter implements AsyncDisposable {
  readonly name = 'oracle';
  readonly stream: string;
  readonly writer: RedisLogWriter;
  readonly lines: string[] = [];
  emitted = 0;

  constructor(options: RedisLogWriterOptions, runtime?: Runtime) {
    this.stream = typeof options.stream === 'string' ? options.stream : 'logs:oracle';
    const diagnostics = createDiagnostics({ write: (line) => this.lines.push(line) });
    const around = runtime === undefined ? { diagnostics } : { diagnostics, runtime };
    this.writer = new RedisLogWriter(
      { service: { name: 'oracle' }, stream: this.stream, ...options },
      around,
    );
  }

  /** Emits so many more records; returns how many were accepted. */
  emit(count = 1, severityNumber?: number): number {
    let accepted = 0;
    for (let i = 0; i < count; i++) {
      const n = ++this.emitted;
      if (this.writer.emit(payload(this.name, n, severityNumber))) accepted++;
    }
    return accepted;
  }

  get stats(): LogStats {
    const stats = this.writer.stats();
    const { delivered, queued, spooled, inFlight, unconfirmed } = stats;
    const sum = delivered + queued + spooled + inFlight + unconfirmed + droppedOf(stats);
    if (stats.emitted !== this.emitted || stats.emitted + stats.recovered !== sum) {
      throw new Error(`The account is wrong: ${JSON.stringify(stats)}, emitted ${this.emitted}`);
    }
    return stats;
  }

  /** Resolves when so many records are delivered. */
  async delivered(count: number, timeoutMs = 20_000): Promise<void> {
    await until(() => this.stats.delivered >= count, { what: `${count} delivered records`, timeoutMs });
  }

  audit(client: Reader): Promise<Audit> {
    return audit(client, this.stream, this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.writer.close({ timeoutMs: 1 });
  }
}

export function droppedOf(stats: LogStats): number {
  return Object.values(stats.dropped).reduce((sum, count) => sum + count, 0);
}

export interface Load {
  /** Ends the load; all of it has been emitted then. */
  stop(): void;
}

/** Emits at a rate, in small portions, until it is stopped. */
export function startLoad(oracle: OracleWriter, perSecond: number): Load {
  const startedAt = performance.now();
  let emitted = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond) - emitted;
    emitted += due;
    oracle.emit(due);
  }, 2);
  return { stop: () => clearInterval(timer) };
}

/** A sequence of numbers from 0 up to, not including, 1, that is the same in every run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
