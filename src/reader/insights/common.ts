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
  readonly stream: string;
  /** Names of sections; undefined where all are wanted that pass. */
  readonly section: Partial<Section>;
  readonly span: { readonly from: number; readonly to: number };
  readonly limit: number;
  readonly now: number;
}

interface Counted {
  readonly id: string;
  readonly section: Section;
  /** The sum of the counts, which may be too high by `error`. */
  score: number;
  error: number;
  previous: number;
}

/** Adds up the buckets of a window. */
export async function readCommon(reader: InsightsReader, request: CommonRequest): Promise<CommonMessages> {
  const { stream, span, now, limit } = request;
  const state = await reader.state(stream);
  if (state === undefined) return nothing(span);
  const window = bucketsOf(span, state, now);
  const all = new Map<string, Counted>();
  const sections = await sectionsOf(reader, request);
  await Promise.all(sections.map((section) => addSection({ reader, stream, state, window, all }, section)));
  const counted = [...all.values()];
  const total = sum(counted, ({ score }) => score);
  const top = counted
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - b.error - (a.score - a.error) || (a.id < b.id ? -1 : 1))
    // Of a message that was forgotten meanwhile there is only the count.
    .slice(0, 2 * limit + 50);
  const known = await reader.messages(
    stream,
    top.map(({ id }) => id),
  );
  const context = { window, state, total };
  return {
    from: window.from,
    to: window.to,
    total,
    previousTotal: window.before === undefined ? undefined : sum(counted, ({ previous }) => previous),
    countedSince: state.since === Infinity ? undefined : state.since,
    countedUntil: state.until,
    messages: top
      .flatMap((each, index) => {
        const message = known[index];
        return message === undefined ? [] : [commonMessage(each, message, context)];
      })
      .slice(0, limit),
  };
}

function nothing({ from, to }: CommonRequest['span']): CommonMessages {
  const unknown = { previousTotal: undefined, countedSince: undefined, countedUntil: undefined };
  return { from, to, total: 0, ...unknown, messages: [] };
}

async function sectionsOf(
  reader: InsightsReader,
  { stream, section: { level, service } }: CommonRequest,
): Promise<Section[]> {
  if (level !== undefined && service !== undefined) return [{ level, service }];
  const sections = (await reader.sections(stream)).map(parseSection).filter((each) => each !== undefined);
  return sections.filter(
    (each) => (level ?? each.level) === each.level && (service ?? each.service) === each.service,
  );
}

interface Sum {
  readonly reader: InsightsReader;
  readonly stream: string;
  readonly state: CountingState;
  readonly window: WindowBuckets;
  readonly all: Map<string, Counted>;
}

async function addSection({ reader, stream, state, window, all }: Sum, section: Section): Promise<void> {
  const name = sectionName(section.level, section.service);
  const read = (start: number): Promise<BucketCounts> =>
    reader.bucket(stream, { section: name, bucketMs: state.bucketMs, start });
  const before = window.before ?? [];
  const [inWindow, inBefore] = await Promise.all([
    Promise.all(window.starts.map(read)),
    Promise.all(before.map(read)),
  ]);
  const of = (id: string): Counted => {
    const known = all.get(id) ?? { id, section, score: 0, error: 0, previous: 0 };
    all.set(id, known);
    return known;
  };
  for (const { counts, errors } of inWindow) {
    for (const [id, score] of counts) of(id).score += score;
    for (const [id, error] of errors) of(id).error += error;
  }
  for (const { counts } of inBefore) for (const [id, score] of counts) of(id).previous += score;
}

function commonMessage(
  { section, score, error, previous }: Counted,
  { template, sample, entryId, traceId, firstMs, lastMs }: KnownMessage,
  context: { readonly window: WindowBuckets; readonly state: CountingState; readonly total: number },
): CommonMessage {
  const { window, state, total } = context;
  const count = score - error;
  const isKnown = window.before !== undefined;
  const lengths = (window.to - window.from) / (window.starts.length * state.bucketMs);
  return {
    ...section,
    template,
    count,
    countError: error,
    share: count / total,
    previous: isKnown ? previous : undefined,
    trend: isKnown && previous > 0 && lengths > 0 ? count / lengths / previous : undefined,
    isNew: firstMs >= window.from && state.since < window.from,
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
