import type { Redis } from 'ioredis';
import { decodeLogRecord, type LogRecord } from 'nestjs-redis-log/core';
import type { EntryFields } from './stream-tail.js';

const PAGE = 1_000;
/** OpenTelemetry's number. */
const ERROR = 17;

/** Loggers of the shop that speak only while a request is served. */
const SERVING = new Set(['HTTP', 'HttpExceptionFilter', 'OrdersService', 'PaymentsService', 'UsersService']);

/** Those of them that speak of the request itself. */
const ABOUT_REQUESTS = new Set(['HTTP', 'HttpExceptionFilter']);

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
  /** Records that are about a request as a whole: how it ended, and why it failed. */
  requestRecords = 0;
  requestRecordsWithTraceId = 0;
  /** Records that were logged while a request was served and have no trace. */
  servingWithoutTraceId = 0;
  /** The traces of each request's records; it should be one. */
  readonly tracesOf = new Map<string, Set<string>>();
  readonly traces = new Set<string>();
  /** `<producer>:<seq>` of every record that is an error or worse. */
  readonly errors = new Set<string>();
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
    if ((decoded.record.severityNumber ?? 0) >= ERROR) this.errors.add(`${decoded.producer}:${decoded.seq}`);
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
    const requestId = attributes['request.id'];
    if (typeof requestId !== 'string') return;
    const traces = this.tracesOf.get(requestId) ?? new Set();
    this.tracesOf.set(requestId, traces);
    if (traceId !== undefined) traces.add(traceId);
    if (!ABOUT_REQUESTS.has(instrumentationScope.name)) return;
    this.requestRecords++;
    if (traceId !== undefined) this.requestRecordsWithTraceId++;
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

/** Deletes a stream and the keys that the package keeps beside it, which it finds by who wrote there. */
export async function deleteStream(redis: Redis, stream: string): Promise<void> {
  const survey = new StreamSurvey();
  await readAll(redis, stream, survey);
  const { producers } = survey;
  const helpers = ['resources', 'resources:seen', 'dlq', ...producers.map((producer) => `guard:${producer}`)];
  await redis.del(stream, ...helpers.map((name) => `{${stream}}:${name}`));
}
