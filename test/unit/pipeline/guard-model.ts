/**
 * The guard protocol as a model that can be searched to the end: one producer with a handful of records, a primary and
 * a replica that lags, one connection with requests and replies on their way, and faults. The server's half is the
 * specification in support/oracle-guard.ts; this file is the producer's half, and the faults.
 */
import {
  append,
  EMPTY_STREAM,
  type GuardedStream,
  loseGuards,
  open,
  type OpenCall,
  type ServerRules,
  trim,
} from '../../support/oracle-guard.js';

export type FaultKind = 'cut' | 'failover' | 'guard loss' | 'trim' | 'bad' | 'shed';

/** Ways in which simpler protocols went wrong, to prove that the search finds it. */
export interface Rules extends ServerRules {
  readonly prev?: 'number-before';
  readonly rollback?: 'ignored-below-kept';
  readonly freshOpen?: 'same-id';
  /** What a producer does that is noted on disk and was told that nobody can tell what is there of it. */
  readonly noted?: 'begins-although-used' | 'begins-although-loose' | 'never-begins';
}

export interface Bounds {
  /** How often each kind of fault may happen; for `bad`, which record is. */
  readonly faults: Partial<Record<FaultKind, number>>;
  readonly records: number;
  /** Batches that are kept after they were acknowledged. */
  readonly kept: number;
  readonly rules: Rules;
  /** Batches are on disk under the producer's id before they are sent. */
  readonly isDurable?: boolean;
  /** False where entries carry no numbers, or may not be read. */
  readonly searchable?: boolean;
}

/** Records with consecutive numbers; each character of `records` is one. */
interface Batch {
  readonly first: number;
  readonly records: string;
  readonly sent: boolean;
}

type Request =
  | { readonly kind: 'look'; readonly generation: number }
  | ({ readonly kind: 'open'; readonly generation: number; readonly acknowledged: number } & OpenCall)
  | ({ readonly kind: 'batch'; readonly generation: number } & Parameters<typeof append>[1]);

interface Reply {
  readonly generation: number;
  readonly count: number;
  readonly answer:
    | ReturnType<typeof append>['answer']
    | ReturnType<typeof open>['answer']
    | { readonly status: 'last-id'; readonly lastId: number };
}

interface Producer {
  id: number;
  state: 'closed' | 'opening' | 'open' | 'probing' | 'done';
  generation: number;
  epoch: number;
  history: OpenCall['history'];
  openIsLoose: boolean;
  /** Noted on disk by this process, and nothing was sent. */
  isUntouched: boolean;
  /** The next OPEN begins the guard. */
  begins: boolean;
  from: number;
  pos: number;
  numbered: number;
  queue: string;
  again: Batch[];
  flight: Batch[];
  kept: Batch[];
  forgotten: Batch[];
  holes: number[];
  shed: string;
  rejected: string;
  rolledBack: string;
  possibleDuplicates: number;
}

export interface State {
  primary: GuardedStream;
  replica: GuardedStream;
  ids: number;
  up: Request[];
  down: Reply[];
  zombies: Request[];
  faults: Partial<Record<FaultKind, number>>;
  producer: Producer;
}

const IN_FLIGHT = 2;

export function initialState({ records, faults }: Bounds): State {
  return {
    primary: EMPTY_STREAM,
    replica: EMPTY_STREAM,
    ids: 0,
    up: [],
    down: [],
    zombies: [],
    faults,
    producer: {
      id: 1,
      state: 'closed',
      generation: 0,
      epoch: 0,
      history: 'fresh',
      openIsLoose: false,
      isUntouched: false,
      begins: false,
      from: 0,
      pos: 0,
      numbered: 0,
      queue: Array.from({ length: records }, (_, at) => at + 1).join(''),
      again: [],
      flight: [],
      kept: [],
      forgotten: [],
      holes: [],
      shed: '',
      rejected: '',
      rolledBack: '',
      possibleDuplicates: 0,
    },
  };
}

/** A step that changes a copy of the state; `undefined`: it cannot happen now. */
export interface Step {
  readonly name: string;
  readonly take: (state: State) => void;
}

/** Everything that can happen next in a state. */
export function steps(state: State, bounds: Bounds): Step[] {
  const { producer, up, down, zombies } = state;
  const found: Step[] = [];
  const add = (name: string, take: (copy: State) => void): void => void found.push({ name, take });
  if (up.length > 0) add('execute', (copy) => execute(copy, bounds));
  if (down.length > 0) add('receive', (copy) => receive(copy, bounds));
  for (const [at] of zombies.entries()) add(`zombie ${at}`, (copy) => executeZombie(copy, at, bounds));
  if (producer.state === 'done') return found;
  if (producer.state === 'closed') add('open', (copy) => sendOpen(copy, bounds));
  if (producer.state === 'open') addSends(state, add, bounds);
  addFaults(state, add);
  return found;
}

type Add = (name: string, take: (copy: State) => void) => void;

function addSends({ producer }: State, add: Add, bounds: Bounds): void {
  const { again, queue, flight } = producer;
  if (flight.length < IN_FLIGHT && again.length > 0) add('send again', (copy) => sendAgain(copy, bounds));
  if (flight.length < IN_FLIGHT && again.length === 0) {
    for (const size of [1, 2]) {
      if (queue.length >= size) add(`send ${size}`, (copy) => sendNew(copy, size, bounds));
    }
  }
  if (flight.length + again.length + queue.length === 0) {
    add('probe', (copy) => {
      copy.producer.state = 'probing';
      sendBatch(copy, { first: copy.producer.pos + 1, records: '', sent: false }, bounds);
    });
  }
}

function addFaults(state: State, add: Add): void {
  const { faults, primary, producer } = state;
  const fault = (kind: FaultKind, name: string, take: (copy: State) => void): void => {
    if (kind === 'bad' || (faults[kind] ?? 0) === 0) return;
    add(name, (copy) => {
      copy.faults = { ...copy.faults, [kind]: (copy.faults[kind] ?? 0) - 1 };
      take(copy);
    });
  };
  fault('cut', 'cut', cut);
  // After the last question has been answered nobody is left to notice a failover: that loss is Redis' own.
  const mayFail = producer.state !== 'probing' || state.up.length > 0;
  if ((faults.failover ?? 0) > 0) add('replicate', (copy) => (copy.replica = copy.primary));
  if (mayFail) {
    fault('failover', 'failover, connection lost', (copy) => {
      copy.primary = copy.replica;
      cut(copy);
    });
    fault('failover', 'failover, connection kept', (copy) => (copy.primary = copy.replica));
  }
  if (Object.keys(primary.guards).length > 0) {
    fault('guard loss', 'guard lost', (copy) => (copy.primary = loseGuards(copy.primary)));
  }
  if (primary.entries.length > 0) fault('trim', 'trim', (copy) => (copy.primary = trim(copy.primary, 1)));
  if (producer.queue.length > 0) {
    fault('shed', 'shed', ({ producer: p }) => {
      p.shed += p.queue[0] ?? '';
      p.queue = p.queue.slice(1);
    });
  }
}

function cut(state: State): void {
  state.zombies = [...state.zombies, ...state.up];
  state.up = [];
  state.down = [];
  stop(state.producer);
}

/** Nothing that is on its way counts any more. */
function stop(producer: Producer): void {
  producer.generation++;
  producer.again = [...producer.flight, ...producer.again];
  producer.flight = [];
  producer.state = 'closed';
}

function sendOpen(state: State, { rules, isDurable, searchable }: Bounds): void {
  const { producer } = state;
  if (producer.begins && producer.openIsLoose && rules.noted !== 'begins-although-loose') renew(producer);
  if (isDurable && producer.history === 'fresh') {
    producer.state = 'opening';
    state.up = [...state.up, { kind: 'look', generation: ++producer.generation }];
    return;
  }
  if (producer.history === 'fresh' && producer.openIsLoose && rules.freshOpen !== 'same-id') producer.id++;
  producer.openIsLoose = true;
  producer.state = 'opening';
  producer.epoch++;
  producer.generation++;
  const { epoch, from, generation } = producer;
  const history = producer.begins ? 'fresh' : producer.history;
  const acknowledged = producer.kept.at(-1);
  state.up = [
    ...state.up,
    {
      kind: 'open',
      generation,
      producer: `p${producer.id}`,
      epoch,
      shed: producer.shed.length,
      history,
      from,
      ...(searchable === false && { searchable }),
      acknowledged: acknowledged === undefined ? 0 : lastOf(acknowledged),
    },
  ];
}

function sendAgain(state: State, bounds: Bounds): void {
  const [batch, ...rest] = state.producer.again;
  if (batch === undefined) return;
  state.producer.again = rest;
  fly(state, batch, bounds);
}

function sendNew(state: State, size: number, bounds: Bounds): void {
  const { producer } = state;
  const batch = { first: producer.numbered + 1, records: producer.queue.slice(0, size), sent: true };
  producer.queue = producer.queue.slice(size);
  producer.numbered += size;
  fly(state, batch, bounds);
}

function fly(state: State, batch: Batch, bounds: Bounds): void {
  const { producer } = state;
  if (producer.history === 'fresh') producer.history = 'unacknowledged';
  producer.isUntouched = false;
  producer.begins = false;
  producer.flight = [...producer.flight, { ...batch, sent: true }];
  sendBatch(state, batch, bounds);
  producer.pos = lastOf(batch);
}

function sendBatch(state: State, { first, records }: Batch, { rules }: Bounds): void {
  const { generation, epoch, pos, holes, shed, id } = state.producer;
  const prev = rules.prev === 'number-before' ? first - 1 : pos;
  const counts = { holes: holes.length, shed: shed.length };
  const call = { producer: `p${id}`, epoch, prev, first, records: [...records], ...counts };
  state.up = [...state.up, { kind: 'batch', generation, ...call }];
}

function execute(state: State, bounds: Bounds): void {
  const [request, ...rest] = state.up;
  if (request === undefined) return;
  state.up = rest;
  const answer = run(state, request, bounds);
  const count = request.kind === 'batch' ? request.records.length : 0;
  state.down = [...state.down, { generation: request.generation, count, answer }];
}

function executeZombie(state: State, at: number, bounds: Bounds): void {
  const request = state.zombies[at];
  state.zombies = state.zombies.toSpliced(at, 1);
  if (request !== undefined) run(state, request, bounds);
}

function run(state: State, request: Request, { rules, faults }: Bounds): Reply['answer'] {
  if (request.kind === 'look') return { status: 'last-id', lastId: state.primary.lastId };
  if (request.kind === 'open') {
    const { stream, answer } = open(state.primary, request, rules);
    state.primary = stream;
    return answer;
  }
  const isBad = (record: string): boolean => record === String(faults.bad);
  const { stream, answer } = append(state.primary, request, { nextId: () => ++state.ids, isBad, rules });
  state.primary = stream;
  return answer;
}

function receive(state: State, bounds: Bounds): void {
  const [reply, ...rest] = state.down;
  if (reply === undefined) return;
  state.down = rest;
  const { producer } = state;
  const { answer } = reply;
  if (reply.generation !== producer.generation) return;
  switch (answer.status) {
    case 'guard':
      producer.openIsLoose = false;
      if (producer.history === 'fresh') producer.from = answer.lastId;
      rewind(producer, answer.seq, bounds);
      producer.state = 'open';
      break;
    case 'last-id':
      producer.history = 'unacknowledged';
      producer.from = answer.lastId;
      producer.isUntouched = true;
      producer.state = 'closed';
      break;
    case 'cannot-tell':
      cannotTell(producer, bounds);
      break;
    case 'written':
      if (reply.count === 0) producer.state = 'done';
      else {
        producer.history = 'acknowledged';
        acknowledge(producer, bounds);
      }
      break;
    case 'already':
      acknowledge(producer, bounds);
      break;
    case 'bad':
      stop(producer);
      rewind(producer, answer.appended, bounds);
      setAside(producer, answer.number);
      break;
    default:
      stop(producer);
  }
}

function cannotTell(producer: Producer, { rules }: Bounds): void {
  producer.openIsLoose = false;
  const isNew = producer.isUntouched || (rules.noted === 'begins-although-used' && !producer.begins);
  if (!isNew || rules.noted === 'never-begins') return renew(producer);
  producer.begins = true;
  producer.state = 'closed';
}

function acknowledge(producer: Producer, bounds: Bounds): void {
  const [batch, ...rest] = producer.flight;
  if (batch === undefined) return;
  producer.flight = rest;
  keep(producer, batch, bounds);
}

function keep(producer: Producer, batch: Batch, { kept }: Bounds): void {
  const all = [...producer.kept, batch];
  producer.forgotten = [...producer.forgotten, ...all.slice(0, -kept)];
  producer.kept = all.slice(-kept);
}

function rewind(producer: Producer, number: number, bounds: Bounds): void {
  const [forgotten, lost] = cutAt(producer.forgotten, number);
  if (lost.length > 0 && bounds.rules.rollback === 'ignored-below-kept') {
    producer.pos = lost.reduce((last, batch) => Math.max(last, lastOf(batch)), number);
    return;
  }
  const [kept, back] = cutAt(producer.kept, number);
  producer.forgotten = forgotten;
  producer.kept = kept;
  producer.rolledBack += recordsOf(lost);
  for (const batch of lost)
    producer.holes = [...producer.holes, ...[...batch.records].map((_, at) => batch.first + at)];
  const [found, again] = cutAt([...back, ...producer.again], number);
  for (const batch of found) keep(producer, batch, bounds);
  producer.again = again;
  producer.numbered = Math.max(producer.numbered, number);
  producer.pos = number;
}

function setAside(producer: Producer, number: number): void {
  const [before, rest] = cutAt(producer.again, number - 1);
  const [bad, after] = cutAt(rest, number);
  producer.again = [...before, ...after];
  producer.rejected += recordsOf(bad);
  producer.holes = [...producer.holes, number];
}

function renew(producer: Producer): void {
  const again = [...producer.kept, ...producer.again];
  producer.possibleDuplicates += recordsOf(again.filter((batch) => batch.sent)).length;
  producer.numbered = 0;
  producer.again = again.map((batch) => {
    const renumbered = { ...batch, first: producer.numbered + 1 };
    producer.numbered += batch.records.length;
    return renumbered;
  });
  producer.id++;
  producer.openIsLoose = false;
  producer.isUntouched = false;
  producer.begins = false;
  producer.history = 'fresh';
  producer.kept = [];
  // What is beyond reach under the old id stays delivered; the model counts it, the new id's numbers do not.
  producer.forgotten = producer.forgotten.map((batch) => ({ ...batch, first: -1_000 }));
  producer.holes = [];
  producer.state = 'closed';
}

function lastOf({ first, records }: Batch): number {
  return first + records.length - 1;
}

export function recordsOf(batches: readonly Batch[]): string {
  return batches.map(({ records }) => records).join('');
}

/** Batches up to a number, and those above it; one that straddles it is cut. */
function cutAt(batches: readonly Batch[], number: number): [Batch[], Batch[]] {
  const below: Batch[] = [];
  const above: Batch[] = [];
  for (const batch of batches) {
    const inside = Math.min(Math.max(number - batch.first + 1, 0), batch.records.length);
    if (inside > 0) below.push({ ...batch, records: batch.records.slice(0, inside) });
    if (inside < batch.records.length) {
      above.push({ ...batch, first: batch.first + inside, records: batch.records.slice(inside) });
    }
  }
  return [below, above];
}
