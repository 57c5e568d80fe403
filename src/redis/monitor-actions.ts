import type { MonitorConnection } from './monitor-connection.js';
import { count } from './monitor-replies.js';
import { listOf } from './replies.js';

/**
 * Moves one page of what a consumer holds to another, and deletes the consumer once it holds nothing: in one script, so
 * that nothing can be delivered to it between the look and the deed. XGROUP DELCONSUMER alone would drop what it holds.
 * Everything it holds is moved, however young, because it is the consumer that must be idle, not the entry.
 * Of entries that the stream no longer has, nothing is left to deliver: XCLAIM leaves them out, and they are
 * acknowledged.
 */
const REASSIGN = `
local key, group, from, to = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local idle_limit, page = tonumber(ARGV[4]), tonumber(ARGV[5])
local idle = {}
for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', key, group)) do
  local fields = {}
  for i = 1, #row, 2 do fields[row[i]] = row[i + 1] end
  idle[fields.name] = fields.idle
end
if not idle[from] then return { 'gone', 0, 0, 0 } end
if idle[from] < idle_limit then return { 'active', 0, 0, 0 } end
local rows = redis.call('XPENDING', key, group, '-', '+', page, from)
local moved, missing = 0, 0
if #rows > 0 then
  if to == '' or to == from or not idle[to] then return { 'no-target', 0, 0, #rows } end
  for _, row in ipairs(rows) do
    local claimed = redis.call('XCLAIM', key, group, to, 0, row[1], 'JUSTID', 'RETRYCOUNT', row[4])
    if #claimed > 0 then
      moved = moved + 1
    else
      redis.call('XACK', key, group, row[1])
      missing = missing + 1
    end
  end
end
local left = #redis.call('XPENDING', key, group, '-', '+', 1, from)
if left > 0 then return { 'more', moved, missing, left } end
redis.call('XGROUP', 'DELCONSUMER', key, group, from)
return { 'deleted', moved, missing, 0 }
`;

/** Corrects the group's count of entries read, if it stands where it stood when the count was made. */
const HEAL = `
local key, group, id, entries_read = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
for _, row in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local fields = {}
  for i = 1, #row, 2 do fields[row[i]] = row[i + 1] end
  if fields.name == group then
    if fields['last-delivered-id'] ~= id then return 0 end
    redis.call('XGROUP', 'SETID', key, group, id, 'ENTRIESREAD', entries_read)
    return 1
  end
end
return 0
`;

/** Entries moved by one script call, which blocks the server for about 2 ms. */
const PAGE = 500;

export interface Reassignment {
  readonly stream: string;
  readonly group: string;
  readonly from: string;
  /** Who takes over what `from` holds; undefined when nobody can, and then a consumer that holds something stays. */
  readonly to: string | undefined;
  /** Only a consumer that was idle for longer is touched, as the server sees it in that moment. */
  readonly idleMs: number;
}

export interface Reassigned {
  /** `active`: came back meanwhile. `gone`: somebody else deleted it. `no-target`: holds entries, and nobody takes them. */
  readonly outcome: 'deleted' | 'active' | 'gone' | 'no-target';
  readonly moved: number;
  /** Entries it held that were trimmed or deleted from the stream, and are acknowledged now. */
  readonly missing: number;
}

/** @throws what Redis answers, such as NOPERM. */
export async function reassign(connection: MonitorConnection, task: Reassignment): Promise<Reassigned> {
  const key = connection.keys(task.stream).stream;
  const args = [task.group, task.from, task.to ?? '', task.idleMs, PAGE];
  let moved = 0;
  let missing = 0;
  for (;;) {
    const reply = listOf(await connection.send('eval', REASSIGN, 1, key, ...args));
    moved += count(reply[1]) ?? 0;
    missing += count(reply[2]) ?? 0;
    const outcome = String(reply[0]);
    if (outcome !== 'more') return { outcome: outcome as Reassigned['outcome'], moved, missing };
  }
}

export interface Correction {
  readonly stream: string;
  readonly group: string;
  readonly lastDeliveredId: string;
  readonly entriesRead: number;
}

/** True when the count was corrected; false when the group has moved on since. */
export async function correctEntriesRead(
  connection: MonitorConnection,
  { stream, group, lastDeliveredId, entriesRead }: Correction,
): Promise<boolean> {
  const key = connection.keys(stream).stream;
  const reply = await connection.send('eval', HEAL, 1, key, group, lastDeliveredId, entriesRead);
  return reply === 1;
}
