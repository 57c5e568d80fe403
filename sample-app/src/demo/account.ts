import type { LogStats } from 'nestjs-redis-log';
import { type EtlAccount, type EtlFacts, etlProblems, makeEtlAccount } from './etl/etl-account.js';
import type { MonitorAccount } from './monitor/group-story.js';
import type { StreamSurvey } from './survey.js';
import type { SentRequest } from './traffic.js';

/** What happened, from three sides: the customers, the logger, and Redis. Written as it is by `--json`. */
export interface DemoAccount {
  readonly seconds: number;
  readonly requests: number;
  /** `2xx`, `4xx`, `5xx`, and `unanswered`. */
  readonly requestsByStatus: Readonly<Record<string, number>>;
  readonly emitted: number;
  readonly delivered: number;
  /** For all reasons together. */
  readonly dropped: number;
  readonly droppedByReason: LogStats['dropped'];
  readonly unconfirmed: number;
  /** In memory, on disk or on their way when all was over. */
  readonly queued: number;
  readonly retried: number;
  readonly delivery: LogStats['delivery'];
  /** False where Redis could not be asked: then what follows says nothing. */
  readonly streamWasRead: boolean;
  readonly inStream: number;
  readonly malformed: number;
  readonly duplicates: number;
  readonly withTraceId: number;
  readonly servingWithoutTraceId: number;
  readonly requestRecords: number;
  readonly requestRecordsWithTraceId: number;
  readonly requestsWithoutRecords: number;
  /** Requests whose records have one trace id, which no other request has. */
  readonly requestsWithOwnTrace: number;
  readonly tracesOfRequests: number;
  /** Traces in the stream that are of no request. */
  readonly strayTraces: number;
  readonly stream: string;
  readonly etl: EtlAccount;
  /** Null where the demo ended before there was something to tell. */
  readonly monitor: MonitorAccount | null;
  readonly addsUp: boolean;
  /** Why not, if it does not: one sentence each. */
  readonly problems: readonly string[];
}

export interface DemoFacts {
  readonly seconds: number;
  readonly stream: string;
  readonly requests: readonly SentRequest[];
  readonly stats: LogStats;
  readonly survey: StreamSurvey;
  readonly etl: EtlFacts;
  readonly monitor: MonitorAccount | null;
}

type Figures = Omit<DemoAccount, 'addsUp' | 'problems'>;

export function makeAccount(facts: DemoFacts): DemoAccount {
  const figures = figuresOf(facts);
  const problems = problemsOf(figures);
  return { ...figures, addsUp: problems.length === 0, problems };
}

function figuresOf({ seconds, stream, requests, stats, survey, etl, monitor }: DemoFacts): Figures {
  return {
    seconds,
    requests: requests.length,
    requestsByStatus: byStatus(requests),
    emitted: stats.emitted,
    delivered: stats.delivered,
    dropped: Object.values(stats.dropped).reduce((sum, count) => sum + count, 0),
    droppedByReason: stats.dropped,
    unconfirmed: stats.unconfirmed,
    queued: stats.queued + stats.spooled + stats.inFlight,
    retried: stats.retried,
    delivery: stats.delivery,
    streamWasRead: survey.isComplete,
    inStream: survey.inStream,
    malformed: survey.malformed,
    duplicates: survey.duplicates,
    withTraceId: survey.withTraceId,
    servingWithoutTraceId: survey.servingWithoutTraceId,
    requestRecords: survey.requestRecords,
    requestRecordsWithTraceId: survey.requestRecordsWithTraceId,
    requestsWithoutRecords: requests.filter(({ id }) => !survey.tracesOf.has(id)).length,
    ...traceFigures(requests, survey),
    stream,
    etl: makeEtlAccount(etl, survey.errors),
    monitor,
  };
}

function byStatus(requests: readonly SentRequest[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of requests) {
    const name = status === undefined ? 'unanswered' : `${Math.floor(status / 100)}xx`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function traceFigures(requests: readonly SentRequest[], { tracesOf, traces }: StreamSurvey) {
  const owners = new Map<string, number>();
  for (const own of tracesOf.values()) for (const id of own) owners.set(id, (owners.get(id) ?? 0) + 1);
  const hasOwnTrace = ({ id }: SentRequest): boolean => {
    const [only, ...others] = tracesOf.get(id) ?? [];
    return only !== undefined && others.length === 0 && owners.get(only) === 1;
  };
  return {
    requestsWithOwnTrace: requests.filter(hasOwnTrace).length,
    tracesOfRequests: owners.size,
    strayTraces: [...traces].filter((id) => !owners.has(id)).length,
  };
}

function problemsOf(figures: Figures): string[] {
  if (!figures.streamWasRead) return ['Redis could not be asked what the stream holds.'];
  const { emitted, delivered, inStream, requests } = figures;
  const checks: readonly (readonly [holds: boolean, problem: string])[] = [
    [emitted > 0, 'Nothing was logged.'],
    [figures.dropped === 0, `${figures.dropped} records were dropped.`],
    [figures.unconfirmed === 0, `${figures.unconfirmed} records were sent and never confirmed.`],
    [figures.queued === 0, `${figures.queued} records were left behind at the end.`],
    [delivered === emitted, `${emitted} records were emitted and ${delivered} delivered.`],
    [inStream === delivered, `${delivered} records were delivered and ${inStream} are in the stream.`],
    [figures.malformed === 0, `${figures.malformed} entries cannot be read.`],
    [figures.duplicates === 0, `${figures.duplicates} entries are there twice.`],
    [figures.requestsByStatus['unanswered'] === undefined, 'Some requests got no answer.'],
    [figures.requestsWithoutRecords === 0, `${figures.requestsWithoutRecords} requests have no record.`],
    [
      figures.requestRecordsWithTraceId === figures.requestRecords && figures.servingWithoutTraceId === 0,
      'Some records that were logged while a request was served have no trace id.',
    ],
    [
      figures.requestsWithOwnTrace === requests && figures.tracesOfRequests === requests,
      `Only ${figures.requestsWithOwnTrace} of ${requests} requests have a trace of their own.`,
    ],
    [figures.strayTraces === 0, `${figures.strayTraces} traces in the stream are of no request.`],
  ];
  const broken = checks.filter(([holds]) => !holds).map(([, problem]) => problem);
  return [...broken, ...etlProblems(figures.etl)];
}
