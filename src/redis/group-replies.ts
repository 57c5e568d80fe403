import { listOf, readPairs } from './replies.js';

/** An entry as Redis has it: name/value pairs in one list. */
export interface RawEntry {
  readonly id: string;
  readonly fields: readonly string[];
}

/** One entry that a consumer holds. */
export interface PendingEntry {
  readonly id: string;
  readonly deliveries: number;
}

/** What XPENDING says of a group as a whole. */
export interface PendingSummary {
  readonly count: number;
  readonly lowestId: string | undefined;
}

export interface ConsumerInfo {
  readonly name: string;
  readonly pending: number;
  readonly idleMs: number;
}

/** Entries with their fields; in the place of one that was trimmed, Redis 6.2 answers nothing. */
export function readEntries(reply: unknown): { entries: RawEntry[]; nameless: number } {
  const entries: RawEntry[] = [];
  let nameless = 0;
  for (const item of listOf(reply)) {
    const [id, fields] = listOf(item);
    if (typeof id === 'string' && Array.isArray(fields)) entries.push({ id, fields: fields as string[] });
    else nameless++;
  }
  return { entries, nameless };
}

/** The reply to XREADGROUP of one stream. */
export function readStreams(reply: unknown): RawEntry[] {
  const [stream] = listOf(reply);
  return readEntries(listOf(stream)[1]).entries;
}

export function readPending(reply: unknown): PendingEntry[] {
  return listOf(reply).map((item) => {
    const [id, , , deliveries] = listOf(item);
    return { id: String(id), deliveries: Number(deliveries) };
  });
}

export function readSummary(reply: unknown): PendingSummary {
  const [count, lowestId] = listOf(reply);
  return { count: Number(count), lowestId: typeof lowestId === 'string' ? lowestId : undefined };
}

export function readConsumers(reply: unknown): ConsumerInfo[] {
  return listOf(reply).map((item) => {
    const info = readPairs(item);
    return {
      name: String(info.get('name')),
      pending: Number(info.get('pending')),
      idleMs: Number(info.get('idle')),
    };
  });
}

export function readTexts(reply: unknown): (string | undefined)[] {
  return listOf(reply).map((item) => (typeof item === 'string' ? item : undefined));
}

export function readNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
