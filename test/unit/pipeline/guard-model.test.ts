import { describe, expect, it } from 'vitest';
import { everStored } from '../../support/oracle-guard.js';
import {
  type Bounds,
  type FaultKind,
  initialState,
  recordsOf,
  type Rules,
  type State,
  steps,
} from './guard-model.js';

/** Epochs beyond this are not reached by reacting to a few faults: the producer runs in circles. */
const MAX_EPOCH = 14;

interface Found {
  readonly problem: string;
  /** The steps that lead there. */
  readonly trace: readonly string[];
}

interface Search {
  readonly states: number;
  readonly finished: number;
  readonly found: Found | undefined;
}

interface Node {
  readonly text: string;
  readonly step: string;
  readonly before: Node | undefined;
}

/** Visits every state within the bounds, until one is wrong. */
function search(bounds: Bounds, maxStates = 3_000_000): Search {
  const start: Node = { text: JSON.stringify(initialState(bounds)), step: '', before: undefined };
  const seen = new Set<string>([start.text]);
  const open: Node[] = [start];
  let finished = 0;
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const state = JSON.parse(node.text) as State;
    if (state.producer.state === 'done') finished++;
    const next = steps(state, bounds);
    const problem = problemOf(state, next.length, bounds);
    if (problem !== undefined)
      return { states: seen.size, finished, found: { problem, trace: traceOf(node) } };
    for (const { name, take } of next) {
      const copy = JSON.parse(node.text) as State;
      take(copy);
      const text = JSON.stringify(copy);
      if (seen.has(text)) continue;
      seen.add(text);
      open.push({ text, step: name, before: node });
    }
    if (seen.size > maxStates) throw new Error(`More than ${maxStates} states.`);
  }
  return { states: seen.size, finished, found: undefined };
}

function traceOf(node: Node): string[] {
  const trace: string[] = [];
  for (let at: Node | undefined = node; at?.before !== undefined; at = at.before) trace.unshift(at.step);
  return trace;
}

/** What is wrong with a state; in the end every record must be where the producer believes it to be. */
function problemOf(
  { producer, primary, up, down }: State,
  nextSteps: number,
  bounds: Bounds,
): string | undefined {
  if (producer.epoch > MAX_EPOCH) return 'runs in circles';
  if (producer.state !== 'done') return nextSteps === 0 ? 'stuck' : undefined;
  if (up.length + down.length > 0) return undefined;
  const stored = everStored(primary).map((entry) => entry.record);
  const delivered = recordsOf([...producer.forgotten, ...producer.kept]);
  const { rolledBack, rejected, shed } = producer;
  const outcomes = delivered + rolledBack + rejected + shed;
  if (outcomes.length !== bounds.records || new Set(outcomes).size !== bounds.records) return 'wrong account';
  if ([...delivered].some((record) => !stored.includes(record))) return 'lost';
  if ([...rolledBack, ...shed].some((record) => stored.includes(record))) return 'stored and counted lost';
  if ([...rejected].some((record) => record !== String(bounds.faults.bad))) return 'good record rejected';
  const unique = [...new Set(stored)];
  if (stored.length - unique.length > producer.possibleDuplicates) return 'stored twice';
  if (unique.some((record, at) => at > 0 && record < (unique[at - 1] ?? ''))) return 'out of order';
  return undefined;
}

/** How often each kind may happen. Two cuts beside a failover are 750,000 states: for a longer run than usual. */
const FAULTS: Readonly<Record<FaultKind, number>> = {
  cut: 2,
  failover: 1,
  'guard loss': 1,
  trim: 1,
  bad: 2,
  shed: 1,
};

const IS_LONG_RUN = process.env['MODEL_RUN'] === 'long';

function within(kinds: readonly FaultKind[], parts: Partial<Omit<Bounds, 'faults'>> = {}): Bounds {
  const faults = Object.fromEntries(kinds.map((kind) => [kind, FAULTS[kind]]));
  if (kinds.includes('failover') && kinds.includes('cut') && !IS_LONG_RUN) faults['cut'] = 1;
  return { faults, records: 3, kept: 1, rules: {}, ...parts };
}

const KINDS = Object.keys(FAULTS) as FaultKind[];
const PAIRS = KINDS.flatMap((one, at) =>
  KINDS.slice(at + 1).map((other): [FaultKind, FaultKind] => [one, other]),
);

describe(
  'The guard protocol, searched through every order of events',
  { timeout: IS_LONG_RUN ? 900_000 : 120_000 },
  () => {
    it.each(PAIRS)('loses, repeats and misplaces nothing under %s and %s', (one, other) => {
      const { states, finished, found } = search(within([one, other]));
      expect(found).toBeUndefined();
      expect(finished).toBeGreaterThan(0);
      expect(states).toBeGreaterThan(100);
    });
  },
);

/** Where entries cannot be looked for, a failover to before the guard and all that is kept leaves nobody who could tell. */
const WITH_SPOOL: readonly Partial<Bounds>[] = [
  { isDurable: true },
  { isDurable: true, searchable: false, kept: 2 },
  { searchable: false, kept: 2 },
];

describe('With batches on disk, and where entries cannot be looked for,', { timeout: 120_000 }, () => {
  it.each(WITH_SPOOL.flatMap((parts) => PAIRS.map((pair) => [...pair, parts] as const)))(
    'the protocol begins, and loses, repeats and misplaces nothing under %s and %s: %o',
    (one, other, parts) => {
      const { finished, found } = search(within([one, other], { ...parts, records: 2 }));
      expect(found).toBeUndefined();
      expect(finished).toBeGreaterThan(0);
    },
  );
});

interface Simpler {
  readonly name: string;
  readonly kinds: readonly FaultKind[];
  readonly rules: Rules;
  readonly parts?: Partial<Bounds>;
  readonly problem: string;
}

const SIMPLER: readonly Simpler[] = [
  {
    name: 'makes a lost guard anew without looking what is there',
    kinds: ['cut', 'guard loss'],
    rules: { rebuild: 'acknowledged-number' },
    problem: 'stored twice',
  },
  {
    name: 'takes an absent guard for one at 0',
    kinds: ['cut', 'guard loss'],
    rules: { absentGuardIs: 'prev-0' },
    problem: 'stored twice',
  },
  {
    name: 'takes a late first OPEN for that of a new producer',
    kinds: ['cut', 'guard loss'],
    rules: { freshOpen: 'same-id' },
    problem: 'stored twice',
  },
  {
    name: 'has no answer to a failover to before everything that is kept',
    kinds: ['failover'],
    rules: { rollback: 'ignored-below-kept' },
    problem: 'runs in circles',
  },
  {
    name: 'compares with the number before, whatever became of that',
    kinds: ['bad'],
    rules: { prev: 'number-before' },
    problem: 'runs in circles',
  },
  {
    name: 'has no epochs',
    kinds: ['cut', 'failover'],
    rules: { epochs: 'ignored' },
    problem: 'stored and counted lost',
  },
  {
    name: 'begins a guard anew under an id that records were sent under',
    kinds: ['cut', 'guard loss'],
    rules: { noted: 'begins-although-used' },
    parts: { isDurable: true, searchable: false },
    problem: 'stored twice',
  },
  {
    name: 'begins a guard again after an OPEN that may still arrive',
    kinds: ['cut', 'guard loss'],
    rules: { noted: 'begins-although-loose' },
    parts: { isDurable: true, searchable: false },
    problem: 'stored twice',
  },
  {
    name: 'has no answer for an id that is noted on disk and cannot be looked for',
    kinds: [],
    rules: { noted: 'never-begins' },
    parts: { isDurable: true, searchable: false },
    problem: 'runs in circles',
  },
];

describe('The search notices when a protocol', { timeout: IS_LONG_RUN ? 900_000 : 120_000 }, () => {
  it.each(SIMPLER)('$name', ({ kinds, rules, parts, problem }) => {
    const { found } = search(within(kinds, { rules, ...parts }));
    expect(found?.problem).toBe(problem);
    expect(found?.trace).toContain('execute');
  });
});
