import type { LogQuery } from './log-query.js';
import type { LogContextOptions, LogEntry, LogFilter, LogQueryOptions } from './types.js';
import { idBefore } from '../redis/entry-id.js';

/** As much of a reader as context needs. */
export interface Queries {
  readonly streams: readonly string[];
  query(options: LogQueryOptions): LogQuery;
}

export interface ContextRequest extends LogContextOptions {
  readonly id: string;
  readonly before: number;
  readonly after: number;
  readonly withinMs: number;
}

/** Ranges on both sides of an id: the price is that of the neighbours, however long the stream. */
export async function readContext(reader: Queries, request: ContextRequest): Promise<LogEntry[]> {
  const { id, before, after, streams = reader.streams, signal } = request;
  const common = { streams, ...(signal === undefined ? {} : { signal }) };
  const own = await reader.query({ ...common, from: id, to: id }).toArray();
  const filter = filterOf(request, own[0]);
  if (filter === undefined) return own;
  const { from, to } = bounds(request);
  const [older, newer] = await Promise.all([
    before === 0
      ? []
      : reader
          .query({ ...common, ...filter, ...from, to: idBefore(id), order: 'desc', limit: before })
          .toArray(),
    // An entry of this id may stand in each of the streams.
    reader.query({ ...common, ...filter, ...to, from: id, limit: after + streams.length }).toArray(),
  ]);
  return [...older.reverse(), ...own, ...newer.filter((entry) => entry.id !== id).slice(0, after)];
}

/** Undefined where the entry has nothing that neighbours could share. */
function filterOf({ same }: ContextRequest, entry: LogEntry | undefined): LogFilter | undefined {
  if (same === undefined) return {};
  if (same === 'trace') {
    const traceId = entry?.record.spanContext?.traceId;
    return traceId ? { traceId } : undefined;
  }
  const service = entry?.record.resource.attributes['service.name'];
  if (typeof service !== 'string') return undefined;
  const value = { kind: 'phrase', text: service } as const;
  return { where: { type: 'match', field: 'service', operator: '=', value, position: 0 } };
}

/** Neighbours of a trace may be anywhere, and looking for them must end. */
function bounds({ id, same, withinMs }: ContextRequest): { from: object; to: object } {
  if (same === undefined) return { from: {}, to: {} };
  const ms = Number.parseInt(id, 10);
  return { from: { from: Math.max(0, ms - withinMs) }, to: { to: ms + withinMs } };
}
