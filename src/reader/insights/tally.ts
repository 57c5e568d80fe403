import type { LogEntry } from '../../consumer/entry.js';
import type { ResolvedInsights } from '../../options/insights-types.js';
import type { MessageDetail } from '../../redis/insights-reader.js';
import type { TalliedBucket, TalliedMessage } from '../../redis/insights-store.js';
import { kept, messageId, messageText, templateOf } from './message.js';
import { levelOf, sectionName } from './section.js';

interface Bucket {
  readonly section: string;
  readonly start: number;
  /** By template. */
  readonly messages: Map<string, LogEntry[]>;
}

/** Sorts the records of a batch by service, level, time of arrival and message. */
export function tally(
  entries: Iterable<LogEntry>,
  { bucketMs, countBy }: Pick<ResolvedInsights, 'bucketMs' | 'countBy'>,
): TalliedBucket[] {
  const buckets = new Map<string, Bucket>();
  for (const entry of entries) {
    const { record } = entry;
    const service = record.resource.attributes['service.name'];
    const section = sectionName(levelOf(record.severityNumber), typeof service === 'string' ? service : '');
    const start = Math.floor(arrivalOf(entry) / bucketMs) * bucketMs;
    const bucket = valueOf(buckets, `${start}:${section}`, () => ({ section, start, messages: new Map() }));
    valueOf(bucket.messages, templateOf(record, countBy), () => []).push(entry);
  }
  return Array.from(buckets.values(), ({ section, start, messages }) => ({
    section,
    start,
    messages: Array.from(messages, ([template, same]) => talliedMessage(section, template, same)),
  }));
}

/** In parts of so many messages at most, whichever bucket they are of. */
export function inParts(buckets: readonly TalliedBucket[], maxMessages: number): TalliedBucket[][] {
  const parts: TalliedBucket[][] = [];
  let room = 0;
  for (const bucket of buckets) {
    for (let at = 0; at < bucket.messages.length;) {
      if (room === 0) {
        parts.push([]);
        room = maxMessages;
      }
      const messages = bucket.messages.slice(at, at + room);
      parts.at(-1)?.push({ ...bucket, messages });
      at += messages.length;
      room -= messages.length;
    }
  }
  return parts;
}

function talliedMessage(section: string, template: string, entries: readonly LogEntry[]): TalliedMessage {
  const times = entries.map(arrivalOf);
  const lastMs = Math.max(...times);
  return {
    id: messageId(section, template),
    firstMs: Math.min(...times),
    lastMs,
    detail: detailOf(
      template,
      entries.findLast((entry) => arrivalOf(entry) === lastMs),
    ),
    entryIds: entries.map(({ id }) => id),
  };
}

function detailOf(template: string, entry: LogEntry | undefined): string {
  const traceId = entry?.record.spanContext?.traceId;
  const detail: MessageDetail = {
    template: kept(template),
    sample: entry === undefined ? '' : kept(messageText(entry.record)),
    entryId: entry?.id ?? '',
    ...(traceId === undefined ? {} : { traceId }),
  };
  return JSON.stringify(detail);
}

/** By the server's clock, in milliseconds: that is what the first part of an id is. */
function arrivalOf({ id }: LogEntry): number {
  return Number.parseInt(id, 10);
}

function valueOf<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
