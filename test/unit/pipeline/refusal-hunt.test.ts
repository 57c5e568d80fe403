import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch } from '../../../src/pipeline/batch.js';
import type { Failure } from '../../../src/pipeline/ports.js';
import { RefusalHunt } from '../../../src/pipeline/refusal-hunt.js';
import { FieldsEncoder } from '../../../src/codec/entry-encoder.js';
import { RespWriter } from '../../../src/codec/resp-writer.js';
import { PROPERTY_RUNS } from '../../support/arbitrary-record.js';
import { recordOf } from './pipeline-harness.js';

const FAILURE: Failure = { kind: 'retry', token: 'ERR', text: 'no', persisted: 'possibly' };
const ANSWERED: Failure = { ...FAILURE, refusal: 'answered' };
const PROTOCOL: Failure = { ...ANSWERED, token: 'PROTOCOL' };
const HUNG_UP: Failure = { ...FAILURE, token: 'ECONNRESET', refusal: 'hung-up' };
const SILENCE: Failure = { ...FAILURE, token: 'ETIMEDOUT' };
const STEP_MS = 2_000;
const template = new FieldsEncoder().encode(recordOf('x', 9), new RespWriter());

function batchOf(first: number, count: number): Batch {
  const batch = new Batch(count, count);
  const bytes = Buffer.from('x');
  for (let index = 0; index < count; index++) {
    batch.add({ template, ordinal: first + index, bytes, start: 0, end: 1 });
  }
  batch.first = first;
  return batch;
}

interface Hunted {
  readonly stored: number[];
  readonly setAside: number[];
  readonly tries: number;
}

/** Sends batches one by one to a server that answers as `serve` says; undefined: stored. */
function huntDown(
  sizes: readonly number[],
  serve: (batch: Batch) => Failure | undefined,
  maxTries = 10_000,
): Hunted {
  let now = 0;
  const hunt = new RefusalHunt(() => now);
  const again: Batch[] = [];
  for (const size of sizes) again.push(batchOf((again.at(-1)?.last ?? 0) + 1, size));
  const stored: number[] = [];
  const setAside: number[] = [];
  let tries = 0;
  for (let next = again[0]; next !== undefined && tries < maxTries; next = again[0]) {
    tries++;
    now += STEP_MS;
    const failure = serve(next);
    if (failure === undefined) {
      hunt.passed(next);
      for (let number = next.first; number <= next.last; number++) stored.push(number);
      again.shift();
      continue;
    }
    hunt.struck(next, failure);
    const verdict = hunt.verdict(again[0]);
    if (verdict === 'halve') again.splice(0, 1, ...next.halves());
    if (verdict === 'set-aside') {
      setAside.push(next.first);
      again.shift();
    }
  }
  return { stored, setAside, tries };
}

function holdsOneOf(batch: Batch, numbers: ReadonlySet<number>): boolean {
  return [...numbers].some((number) => batch.first <= number && number <= batch.last);
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

describe('The hunt for a record that the server refuses', () => {
  it('finds exactly the records that are refused, whatever the batches, and stores the others in order', () => {
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(), { maxLength: 5 }), (counts, picks) => {
        const total = counts.reduce((sum, count) => sum + count, 0);
        const bad = new Set(picks.map((pick) => (pick % total) + 1));
        const { stored, setAside, tries } = huntDown(counts, (batch) =>
          holdsOneOf(batch, bad) ? ANSWERED : undefined,
        );
        expect(setAside).toEqual([...bad].toSorted((a, b) => a - b));
        const good = Array.from({ length: total }, (_, index) => index + 1).filter((n) => !bad.has(n));
        expect(stored).toEqual(good);
        // Three of the whole, a path of halves down and their neighbours, and three of the record.
        expect(tries).toBeLessThanOrEqual(counts.length + bad.size * (3 + 2 * 6 + 3));
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it('sets nothing aside for an outage, however its failures follow each other', () => {
    const failures = fc.constantFrom(SILENCE, HUNG_UP, { ...FAILURE, token: 'OOM' });
    fc.assert(
      fc.property(sizes, fc.array(failures, { minLength: 1, maxLength: 200 }), (counts, outage) => {
        let left = outage.length;
        // A lone record that every connection ends upon is another matter: see below.
        const serve = (batch: Batch): Failure | undefined => {
          if (--left < 0) return undefined;
          const failure = outage[left];
          return batch.count === 1 && failure === HUNG_UP ? SILENCE : failure;
        };
        const { setAside, stored } = huntDown(counts, serve);
        expect(setAside).toEqual([]);
        expect(stored).toHaveLength(counts.reduce((sum, count) => sum + count, 0));
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it('does not take two different answers for the same one', () => {
    let tries = 0;
    const serve = (): Failure => ({ ...ANSWERED, token: `ERR${++tries % 2}` });
    expect(huntDown([1], serve, 100).setAside).toEqual([]);
  });

  it('sets a lone record aside when connections end upon it for half a minute, and not before', () => {
    const { setAside, tries } = huntDown([1, 3], (batch) => (batch.first === 1 ? HUNG_UP : undefined));
    expect(setAside).toEqual([1]);
    expect(tries * STEP_MS).toBeGreaterThanOrEqual(30_000);
  });

  it('loses at most one record to connections that end upon everything', () => {
    const { setAside, stored } = huntDown([5, 5], () => HUNG_UP, 1_000);
    expect(setAside).toEqual([1]);
    expect(stored).toEqual([]);
  });

  it('counts an end without a word once the server has said that the record is too large', () => {
    const failures = [HUNG_UP, HUNG_UP, PROTOCOL];
    const { setAside, tries } = huntDown([1], () => failures[0] && failures.shift());
    expect(setAside).toEqual([1]);
    expect(tries).toBe(3);
  });
});
