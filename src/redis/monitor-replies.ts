import { listOf, readPairs } from './replies.js';

/** A stream at one instant, as `XINFO STREAM key FULL COUNT 1` tells it: one command, so all of it belongs together. */
export interface StreamState {
  readonly length: number;
  /** Entries ever added. Redis 7.0 and later. */
  readonly entriesAdded: number | undefined;
  readonly lastGeneratedId: string;
  /** The greatest id that XDEL ever removed, `0-0` for none. Redis 7.0 and later. */
  readonly maxDeletedId: string | undefined;
  /** Undefined for an empty stream. */
  readonly firstId: string | undefined;
  readonly groups: readonly GroupState[];
}

export interface GroupState {
  readonly name: string;
  readonly lastDeliveredId: string;
  /** Redis' own count; undefined where it does not know, and before 7.0. */
  readonly entriesRead: number | undefined;
  /** Redis' own lag; undefined where it does not know, and before 7.0. May be wrong: see docs/monitoring.md. */
  readonly lag: number | undefined;
  readonly pending: number;
  /** The pending entry with the lowest id. */
  readonly oldestPending: PendingState | undefined;
  readonly consumers: readonly ConsumerState[];
}

export interface PendingState {
  readonly id: string;
  readonly consumer: string;
  readonly deliveredAtMs: number;
  readonly deliveries: number;
}

export interface ConsumerState {
  readonly name: string;
  /** Server time of its last attempt to read, claim or acknowledge. */
  readonly seenAtMs: number;
  /** Server time of its last successful one; -1 for never. Redis 7.2 and later. */
  readonly activeAtMs: number | undefined;
  readonly pending: number;
}

/** What INFO says of one server. Undefined: this server does not tell. */
export interface ServerState {
  readonly role: string | undefined;
  readonly version: string | undefined;
  readonly memoryUsedBytes: number | undefined;
  /** 0 for no limit. */
  readonly memoryMaxBytes: number | undefined;
  readonly evictionPolicy: string | undefined;
  readonly evictedKeys: number | undefined;
  readonly appendOnly: boolean | undefined;
  /** False when the last snapshot or the last write to the append-only file failed. */
  readonly persistenceOk: boolean | undefined;
  /** Changes that no snapshot has yet. */
  readonly changesSinceSnapshot: number | undefined;
}

export function streamState(reply: unknown): StreamState {
  const fields = readPairs(reply);
  const entries = listOf(fields.get('entries'));
  const first = listOf(entries[0])[0];
  return {
    length: count(fields.get('length')) ?? 0,
    entriesAdded: count(fields.get('entries-added')),
    lastGeneratedId: text(fields.get('last-generated-id')) ?? '0-0',
    maxDeletedId: text(fields.get('max-deleted-entry-id')),
    firstId: text(first),
    groups: listOf(fields.get('groups')).map(groupState),
  };
}

function groupState(reply: unknown): GroupState {
  const fields = readPairs(reply);
  const [id, consumer, deliveredAt, deliveries] = listOf(listOf(fields.get('pending'))[0]);
  return {
    name: text(fields.get('name')) ?? '',
    lastDeliveredId: text(fields.get('last-delivered-id')) ?? '0-0',
    entriesRead: count(fields.get('entries-read')),
    lag: count(fields.get('lag')),
    pending: count(fields.get('pel-count')) ?? 0,
    oldestPending:
      text(id) === undefined
        ? undefined
        : {
            id: String(id),
            consumer: String(consumer),
            deliveredAtMs: count(deliveredAt) ?? 0,
            deliveries: count(deliveries) ?? 0,
          },
    consumers: listOf(fields.get('consumers')).map(consumerState),
  };
}

function consumerState(reply: unknown): ConsumerState {
  const fields = readPairs(reply);
  return {
    name: text(fields.get('name')) ?? '',
    seenAtMs: count(fields.get('seen-time')) ?? 0,
    activeAtMs: count(fields.get('active-time')),
    pending: count(fields.get('pel-count')) ?? 0,
  };
}

export function serverState(info: string): ServerState {
  const fields = new Map(info.split(/\r?\n/).map((line) => splitAt(line, ':')));
  const numberAt = (name: string): number | undefined => count(fields.get(name));
  const states = ['rdb_last_bgsave_status', 'aof_last_write_status', 'aof_last_bgrewrite_status'];
  const told = states.map((name) => fields.get(name)).filter((state) => state !== undefined);
  const appendOnly = numberAt('aof_enabled');
  return {
    role: fields.get('role'),
    version: fields.get('valkey_version') ?? fields.get('redis_version'),
    memoryUsedBytes: numberAt('used_memory'),
    memoryMaxBytes: numberAt('maxmemory'),
    evictionPolicy: fields.get('maxmemory_policy'),
    evictedKeys: numberAt('evicted_keys'),
    appendOnly: appendOnly === undefined ? undefined : appendOnly === 1,
    persistenceOk: told.length === 0 ? undefined : told.every((state) => state === 'ok'),
    changesSinceSnapshot: numberAt('rdb_changes_since_last_save'),
  };
}

function splitAt(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator);
  return at < 0 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

export function count(value: unknown): number | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}
