import type { Redis } from 'ioredis';
import { decodeLogRecord, type LogRecord } from 'nestjs-redis-log/core';
import type { EntryFields } from './stream-tail.js';

const PAGE = 1_000;

/** Loggers of the shop that speak only while a request is served. */
const SERVING = new Set(['HTTP', 'HttpExceptionFilter', 'OrdersService', 'PaymentsService', 'UsersService']);

/** What is found in the stream: read from Redis again, entry by entry, and not from what the demo has seen pass. */
export class StreamSurvey {
  /** False where Redis could not be asked, or not to the end: then the other figures say nothing. */
  isComplete = false;
  /** Entries by Redis's own count. */
  inStream = 0;
  entries = 0;
  malformed = 0;
  /** Entries whose producer and number were there before. */
  duplicates = 0;
  withTraceId = 0;
  /** Records that name a request. */
  requestRecords = 0;
  requestRecordsWithTraceId = 0;
  /** Records that were logged while a request was served and have no trace. */
  servingWithoutTraceId = 0;
  /** The traces of each request's records; it should be one. */
  readonly tracesOf = new Map<string, Set<string>>();
  readonly traces = new Set<string>();
  readonly #lastSeq = new Map<string, number>();

  get producers(): readonly string[] {
    return [...this.#lastSeq.keys()];
  }

  add(fields: EntryFields): void {
    this.entries++;
    const decoded = decodeLogRecord(fields);
    if (decoded.status === 'malformed') {
      this.malformed++;
      return;
    }
    this.#count(decoded.producer ?? '', decoded.seq ?? 0);
    this.#trace(decoded.record);
  }

  /** Numbers of one producer only ever go up. */
  #count(producer: string, seq: number): void {
    if (seq <= (this.#lastSeq.get(producer) ?? -1)) this.duplicates++;
    else this.#lastSeq.set(producer, seq);
  }

  #trace({ spanContext, attributes, instrumentationScope }: LogRecord): void {
    const traceId = spanContext?.traceId;
    if (traceId !== undefined) {
      this.withTraceId++;
      this.traces.add(traceId);
    } else if (SERVING.has(instrumentationScope.name)) {
      this.servingWithoutTraceId++;
    }
    const { requestId } = attributes;
    if (typeof requestId !== 'string') return;
    this.requestRecords++;
    const traces = this.tracesOf.get(requestId) ?? new Set();
    this.tracesOf.set(requestId, traces);
    if (traceId === undefined) return;
    this.requestRecordsWithTraceId++;
    traces.add(traceId);
  }
}

/** Never rejects: see `isComplete`. */
export async function surveyStream(redis: Redis, stream: string): Promise<StreamSurvey> {
  const survey = new StreamSurvey();
  try {
    survey.inStream = await redis.xlen(stream);
    await readAll(redis, stream, survey);
    survey.isComplete = true;
  } catch {
    // Whatever it was, the account says that the stream could not be checked.
  }
  return survey;
}

async function readAll(redis: Redis, stream: string, survey: StreamSurvey): Promise<void> {
  for (let from = '-'; ;) {
    const page = await redis.xrange(stream, from, '+', 'COUNT', PAGE);
    for (const [, fields] of page) survey.add(fields);
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return;
    from = `(${last[0]}`;
  }
}

/** Deletes the stream and the keys that the package keeps beside it. */
export async function deleteStream(
  redis: Redis,
  stream: string,
  producers: readonly string[],
): Promise<void> {
  const helpers = ['resources', 'resources:seen', ...producers.map((producer) => `guard:${producer}`)];
  await redis.del(stream, ...helpers.map((name) => `{${stream}}:${name}`));
}
