import type {
  BucketCounts,
  CountingState,
  InsightsReader,
  KnownMessage,
} from '../../redis/insights-reader.js';
import { parseSection, type Section, sectionName } from './section.js';
import type { CommonMessage, CommonMessages } from './types.js';
import { bucketsOf, type WindowBuckets } from './window.js';

export interface CommonRequest {
  /** A stream, or the partitions of one. */
  readonly streams: readonly string[];
  /** What is undefined of it, is any. */
  readonly section: Partial<Section>;
  readonly span: { readonly from: number; readonly to: number };
  readonly limit: number;
  readonly now: number;
}

/** Records of one message, as far as they have been added up. */
interface Counted {
  readonly id: string;
  readonly section: Section;
  /** May be too high by `error`. */
  score: number;
  error: number;
  previous: number;
}

/** What was counted of one stream, and when. */
interface CountedStream {
  readonly stream: string;
  readonly state: CountingState;
  readonly window: WindowBuckets;
}

/** The window as all streams together have it. */
interface Frame {
  readonly from: number;
  readonly to: number;
  readonly since: number;
  readonly until: number;
  /** How long the window is, as a part of the time before it; undefined where that is not known. */
  readonly relativeLength: number | undefined;
}

/** Adds up the buckets of a window. */
export async function readCommon(reader: InsightsReader, request: CommonRequest): Promise<CommonMessages> {
  const states = await Promise.all(request.streams.map((stream) => reader.state(stream)));
  const streams = request.streams.flatMap((stream, index): CountedStream[] => {
    const state = states[index];
    return state === undefined
      ? []
      : [{ stream, state, window: bucketsOf(request.span, state, request.now) }];
  });
  if (streams.length === 0) return nothing(request.span);
  const all = new Map<string, Counted>();
  await Promise.all(streams.map((stream) => addStream(reader, stream, { request, all })));
  const frame = frameOf(streams);
  const counted = [...all.values()];
  const total = sum(counted, ({ score }) => score);
  const top = counted
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - b.error - (a.score - a.error) || (a.id < b.id ? -1 : 1))
    // Of a message that was forgotten meanwhile there is only the count.
    .slice(0, 2 * request.limit + 50);
  const known = await knownMessages(
    reader,
    streams,
    top.map(({ id }) => id),
  );
  const messages = top.flatMap((each) => {
    const message = known.get(each.id);
    return message === undefined ? [] : [commonMessage(each, message, { frame, total })];
  });
  return {
    from: frame.from,
    to: frame.to,
    total,
    previousTotal: frame.relativeLength === undefined ? undefined : sum(counted, ({ previous }) => previous),
    countedSince: frame.since === Infinity ? undefined : frame.since,
    countedUntil: frame.until,
    messages: messages.slice(0, request.limit),
  };
}

function nothing({ from, to }: CommonRequest['span']): CommonMessages {
  const unknown = { previousTotal: undefined, countedSince: undefined, countedUntil: undefined };
  return { from, to, total: 0, ...unknown, messages: [] };
}

function frameOf(streams: readonly CountedStream[]): Frame {
  const from = Math.min(...streams.map(({ window }) => window.from));
  const to = Math.max(...streams.map(({ window }) => window.to));
  const before = Math.min(...streams.map(({ window }) => window.before?.[0] ?? Infinity));
  const isKnown = to > from && streams.every(({ window }) => window.before !== undefined);
  return {
    from,
    to,
    since: Math.min(...streams.map(({ state }) => state.since)),
    until: Math.max(...streams.map(({ state }) => state.until)),
    relativeLength: isKnown ? (to - from) / (from - before) : undefined,
  };
}

interface Sum {
  readonly request: CommonRequest;
  readonly all: Map<string, Counted>;
}

async function addStream(
  reader: InsightsReader,
  { stream, state: { bucketMs }, window }: CountedStream,
  { request, all }: Sum,
): Promise<void> {
  const sections = await sectionsOf(reader, stream, request.section);
  const add = async (section: Section, start: number, isBefore: boolean): Promise<void> => {
    const name = sectionName(section.level, section.service);
    addBucket(await reader.bucket(stream, { section: name, bucketMs, start }), { all, section, isBefore });
  };
  const { starts, before = [] } = window;
  const adding = sections.flatMap((section) => [
    ...starts.map((start) => add(section, start, false)),
    ...before.map((start) => add(section, start, true)),
  ]);
  await Promise.all(adding);
}

function addBucket(
  { counts, errors }: BucketCounts,
  { all, section, isBefore }: { all: Map<string, Counted>; section: Section; isBefore: boolean },
): void {
  for (const [id, count] of counts) {
    const counted = all.get(id) ?? { id, section, score: 0, error: 0, previous: 0 };
    all.set(id, counted);
    if (isBefore) {
      counted.previous += count;
    } else {
      counted.score += count;
      counted.error += errors.get(id) ?? 0;
    }
  }
}

async function sectionsOf(
  reader: InsightsReader,
  stream: string,
  { level, service }: Partial<Section>,
): Promise<Section[]> {
  if (level !== undefined && service !== undefined) return [{ level, service }];
  const sections = (await reader.sections(stream)).map(parseSection).filter((each) => each !== undefined);
  return sections.filter(
    (each) => (level ?? each.level) === each.level && (service ?? each.service) === each.service,
  );
}

/** What the streams know of these messages, which may be in several of them. */
async function knownMessages(
  reader: InsightsReader,
  streams: readonly CountedStream[],
  ids: readonly string[],
): Promise<Map<string, KnownMessage>> {
  const merged = new Map<string, KnownMessage>();
  for (const found of await Promise.all(streams.map(({ stream }) => reader.messages(stream, ids)))) {
    for (const [index, message] of found.entries()) {
      const id = ids[index] ?? '';
      const other = merged.get(id);
      if (message === undefined) continue;
      const latest = other !== undefined && other.lastMs > message.lastMs ? other : message;
      merged.set(id, { ...latest, firstMs: Math.min(message.firstMs, other?.firstMs ?? Infinity) });
    }
  }
  return merged;
}

function commonMessage(
  { section, score, error, previous }: Counted,
  { template, sample, entryId, traceId, firstMs, lastMs }: KnownMessage,
  { frame, total }: { readonly frame: Frame; readonly total: number },
): CommonMessage {
  const { relativeLength } = frame;
  const count = score - error;
  return {
    ...section,
    template,
    count,
    countError: error,
    share: count / total,
    previous: relativeLength === undefined ? undefined : previous,
    trend: relativeLength === undefined || previous === 0 ? undefined : count / relativeLength / previous,
    isNew: firstMs >= frame.from && frame.since < frame.from,
    firstSeen: firstMs,
    lastSeen: lastMs,
    sample,
    entryId,
    traceId,
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
