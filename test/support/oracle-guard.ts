/**
 * The server's half of the guard protocol as its specification says it, in memory and without Redis. The exhaustive
 * model, the store that the real pipeline is driven with, and the comparison with the Lua script all use this one text.
 *
 * States are never changed, so that a search can go on from any of them.
 */

export interface StoredEntry {
  /** Rises over all lines of history, as ids made of the time do. */
  readonly id: number;
  readonly producer: string;
  readonly seq: number;
  /** Which record it is, whatever its number. */
  readonly record: string;
}

export interface Guard {
  readonly seq: number;
  readonly holes: number;
  readonly shed: number;
  readonly epoch: number;
}

/** Holes of a guard that was made anew from the stream. */
export const UNKNOWN_HOLES = -1;

export interface GuardedStream {
  readonly entries: readonly StoredEntry[];
  /** What was trimmed away, for the accounts of a test; the server itself knows only that something was. */
  readonly trimmed: readonly StoredEntry[];
  readonly lastId: number;
  readonly guards: Readonly<Record<string, Guard>>;
}

export const EMPTY_STREAM: GuardedStream = { entries: [], trimmed: [], lastId: 0, guards: {} };

export interface OpenCall {
  readonly producer: string;
  readonly epoch: number;
  readonly shed: number;
  /** `fresh` is sent only under an id that nothing was ever sent under, not even an OPEN of unknown outcome. */
  readonly history: 'fresh' | 'acknowledged' | 'unacknowledged';
  /** The stream's last id before the first send; for `unacknowledged`. */
  readonly from: number;
  /** False where the producer's entries cannot be looked for. */
  readonly searchable?: boolean;
}

export interface BatchCall {
  readonly producer: string;
  readonly epoch: number;
  readonly prev: number;
  readonly first: number;
  readonly records: readonly string[];
  readonly holes: number;
  readonly shed: number;
}

export type OpenAnswer =
  | { readonly status: 'guard'; readonly seq: number; readonly lastId: number; readonly epoch: number }
  | { readonly status: 'cannot-tell'; readonly lastId: number };

export type BatchAnswer =
  | { readonly status: 'written'; readonly lastId: number }
  | { readonly status: 'already' }
  | { readonly status: 'absent' }
  | { readonly status: 'refused'; readonly seq: number }
  | { readonly status: 'number-reuse' }
  | { readonly status: 'bad'; readonly appended: number; readonly number: number };

export interface After<Answer> {
  readonly stream: GuardedStream;
  readonly answer: Answer;
}

/** Lets the server of a test be wrong in a way that was once proposed, to prove that the search would notice. */
export interface ServerRules {
  readonly absentGuardIs?: 'prev-0';
  readonly rebuild?: 'acknowledged-number';
  readonly epochs?: 'ignored';
}

export function open(
  stream: GuardedStream,
  call: OpenCall & { readonly acknowledged?: number },
  rules: ServerRules = {},
): After<OpenAnswer> {
  const { lastId } = stream;
  const guard = stream.guards[call.producer];
  if (guard !== undefined) {
    const epoch = Math.max(guard.epoch, call.epoch);
    return {
      stream: withGuard(stream, call.producer, { ...guard, epoch }),
      answer: told({ seq: guard.seq, lastId, epoch }),
    };
  }
  const made = (seq: number, holes: number): After<OpenAnswer> => {
    const guards = withGuard(stream, call.producer, { seq, holes, shed: call.shed, epoch: call.epoch });
    return { stream: guards, answer: told({ seq, lastId, epoch: call.epoch }) };
  };
  if (rules.rebuild === 'acknowledged-number') return made(call.acknowledged ?? 0, 0);
  if (call.history === 'fresh') return made(0, 0);
  if (call.searchable === false) return { stream, answer: { status: 'cannot-tell', lastId } };
  const after = call.history === 'acknowledged' ? 0 : call.from;
  const own = stream.entries.findLast(({ producer, id }) => producer === call.producer && id > after);
  if (own !== undefined) return made(own.seq, UNKNOWN_HOLES);
  if (stream.trimmed.some((entry) => entry.id > after)) {
    return { stream, answer: { status: 'cannot-tell', lastId } };
  }
  return made(0, 0);
}

export function append(
  given: GuardedStream,
  call: BatchCall,
  {
    nextId,
    isBad,
    rules = {},
  }: { nextId: () => number; isBad: (record: string) => boolean; rules?: ServerRules },
): After<BatchAnswer> {
  const { producer, epoch, prev, first, records, holes, shed } = call;
  const last = first + records.length - 1;
  let guard = given.guards[producer];
  if (guard === undefined && rules.absentGuardIs === 'prev-0') guard = { seq: 0, holes, shed, epoch };
  if (guard === undefined) return { stream: given, answer: { status: 'absent' } };
  if (guard.epoch !== epoch && rules.epochs !== 'ignored') return refused(given, guard);
  if (records.length > 0 && first <= prev) return { stream: given, answer: { status: 'number-reuse' } };
  if (guard.seq !== prev) {
    if (records.length > 0 && guard.seq >= last) return { stream: given, answer: { status: 'already' } };
    return refused(given, guard);
  }
  return stored(given, call, { nextId, isBad });
}

function stored(
  given: GuardedStream,
  { producer, epoch, prev, first, records, holes, shed }: BatchCall,
  { nextId, isBad }: { nextId: () => number; isBad: (record: string) => boolean },
): After<BatchAnswer> {
  const bad = records.findIndex(isBad);
  const count = bad === -1 ? records.length : bad;
  const added = records
    .slice(0, count)
    .map((record, at) => ({ id: nextId(), producer, seq: first + at, record }));
  const newest = added.at(-1);
  const appended = newest?.seq ?? prev;
  const lastId = newest?.id ?? given.lastId;
  const grown = newest === undefined ? given : { ...given, entries: [...given.entries, ...added], lastId };
  const moves = newest !== undefined || records.length === 0;
  const stream = moves ? withGuard(grown, producer, { seq: appended, holes, shed, epoch }) : grown;
  if (bad !== -1) return { stream, answer: { status: 'bad', appended, number: first + bad } };
  return { stream, answer: { status: 'written', lastId } };
}

export function loseGuards(stream: GuardedStream): GuardedStream {
  return { ...stream, guards: {} };
}

export function trim(stream: GuardedStream, count: number): GuardedStream {
  const trimmed = [...stream.trimmed, ...stream.entries.slice(0, count)];
  return { ...stream, trimmed, entries: stream.entries.slice(count) };
}

/** Every entry that this line of history ever held, in order. */
export function everStored(stream: GuardedStream): readonly StoredEntry[] {
  return stream.trimmed.length === 0 ? stream.entries : [...stream.trimmed, ...stream.entries];
}

function withGuard(stream: GuardedStream, producer: string, guard: Guard): GuardedStream {
  return { ...stream, guards: { ...stream.guards, [producer]: guard } };
}

function told(guard: { readonly seq: number; readonly lastId: number; readonly epoch: number }): OpenAnswer {
  return { status: 'guard', ...guard };
}

function refused(stream: GuardedStream, guard: Guard): After<BatchAnswer> {
  return { stream, answer: { status: 'refused', seq: guard.seq } };
}
