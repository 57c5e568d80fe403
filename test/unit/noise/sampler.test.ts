import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Sampler, traceShare } from '../../../src/pipeline/noise/sampler.js';
import { ContextPatterns } from '../../../src/record/context-patterns.js';
import type { LogRecord } from '../../../src/record/log-record.js';

const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 });

function recordOf(parts: Partial<LogRecord>): LogRecord {
  return {
    hrTime: [0, 0],
    hrTimeObserved: [0, 0],
    resource: { attributes: {} },
    instrumentationScope: { name: '' },
    attributes: {},
    droppedAttributesCount: 0,
    ...parts,
  };
}

describe('The share of a trace', () => {
  it('is the same number from 0 to 1 everywhere', () => {
    fc.assert(
      fc.property(hex, (traceId) => {
        const share = traceShare(traceId);
        expect(share).toBeGreaterThanOrEqual(0);
        expect(share).toBeLessThan(1);
        expect(traceShare(traceId)).toBe(share);
      }),
    );
    // Fixed: another version of this package in the same fleet must decide alike.
    expect(traceShare('0af7651916cd43dd8448eb211c80319c')).toBe(0.07976333401165903);
  });

  it('spreads ids evenly, also those that only count up', () => {
    const buckets = Array.from({ length: 10 }, () => 0);
    for (let n = 0; n < 20_000; n++) {
      const bucket = Math.floor(traceShare(n.toString(16).padStart(32, '0')) * 10);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 2_000)).toBeLessThan(300);
  });
});

describe('A sampler', () => {
  it('that keeps a smaller share keeps no trace that one with a larger share leaves out', () => {
    const with_ = (ratio: number): Sampler =>
      new Sampler({ traces: undefined, ratio, levels: {}, contexts: {} }, () => 0.5);
    fc.assert(
      fc.property(hex, fc.double({ min: 0, max: 1, noNaN: true }), (traceId, ratio) => {
        const record = recordOf({ spanContext: { traceId, spanId: '', traceFlags: 1 }, severityNumber: 9 });
        if (with_(ratio / 2).keeps(record)) expect(with_(ratio).keeps(record)).toBe(true);
      }),
    );
  });

  it('treats a record without a severity as INFO, and leaves the rest to chance outside of a trace', () => {
    const sampler = (chance: number): Sampler =>
      new Sampler({ traces: 1, ratio: 1, levels: { log: 0.5 }, contexts: {} }, () => chance);
    expect(sampler(0.49).keeps(recordOf({}))).toBe(true);
    expect(sampler(0.5).keeps(recordOf({}))).toBe(false);
    expect(sampler(0.99).keeps(recordOf({ severityNumber: 17 }))).toBe(true);
  });
});

describe('Patterns of contexts', () => {
  it('match the exact name first, then the longest beginning, then *', () => {
    const patterns = new ContextPatterns([
      ['*', 'all'],
      ['Orders*', 'orders'],
      ['OrdersS*', 'services'],
      ['OrdersService', 'exact'],
    ]);
    const found = ['OrdersService', 'OrdersStore', 'Orders', 'Other', ''].map((name) => patterns.get(name));
    expect(found).toEqual(['exact', 'services', 'orders', 'all', 'all']);
  });

  it('may have stars anywhere, each for any text, and win by what is beside the stars', () => {
    const patterns = new ContextPatterns([
      ['*Service', 'service'],
      ['O*Service', 'of O'],
      ['X*Y', 'from X to Y'],
      ['*a*b*a*', 'aba'],
      ['**', 'all'],
    ]);
    const found = [
      'PayService',
      'OrdersService',
      'XY',
      'XaYbY',
      'XYa',
      '1a2b3a4',
      'aba',
      'ab',
      'Service',
    ].map((name) => patterns.get(name));
    expect(found).toEqual([
      'service',
      'of O',
      'from X to Y',
      'from X to Y',
      'all',
      'aba',
      'aba',
      'all',
      'service',
    ]);
    expect(new ContextPatterns([['A*A', 1]]).get('A')).toBeUndefined();
  });

  it('match what the expression with .* for each star matches, in linear time', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(text, text, (pattern, context) => {
        const expression = new RegExp(`^${pattern.split('*').join('.*')}$`);
        const isMatch = new ContextPatterns([[pattern, 1]]).get(context) === 1;
        expect(isMatch).toBe(pattern.includes('*') ? expression.test(context) : pattern === context);
      }),
      { numRuns: 2_000 },
    );
    const start = performance.now();
    new ContextPatterns([[`${'a*'.repeat(100)}b`, 1]]).get('a'.repeat(100_000));
    expect(performance.now() - start).toBeLessThan(500);
  });

  it('remember no more than some hundred names, whatever comes', () => {
    const patterns = new ContextPatterns([['a*', 1]]);
    for (let n = 0; n < 5_000; n++) expect(patterns.get(`a${n}`)).toBe(1);
    expect(patterns.get('b'.repeat(10_000))).toBeUndefined();
  });
});
