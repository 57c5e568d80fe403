import { ConsoleLogger, filterLogLevels } from '@nestjs/common';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLevelEnabled, LevelFilter, parseLevels } from '../../../src/nest/logger/levels.js';
import { type Level, LEVELS } from '../../../src/record/severity.js';

const SUBSETS = Array.from({ length: 64 }, (_, bits) =>
  LEVELS.filter((_level, index) => bits & (1 << index)),
);

function enabledOf(filter: LevelFilter, context?: string): Level[] {
  return LEVELS.filter((level) => filter.isEnabled(level, context));
}

describe('The levels that are on', () => {
  it('are those of Nest, for every list of levels', () => {
    const filter = new LevelFilter('log', {});
    for (const levels of SUBSETS) {
      const nest = new ConsoleLogger({ logLevels: levels });
      const expected = LEVELS.filter((level) => nest.isLevelEnabled(level));
      filter.setLevels(levels);
      expect(enabledOf(filter), levels.join()).toEqual(expected);
      expect(
        LEVELS.filter((level) => isLevelEnabled(level, levels)),
        levels.join(),
      ).toEqual(expected);
    }
  });

  it('are the given one and all that are more severe', () => {
    expect(enabledOf(new LevelFilter('warn', {}))).toEqual(['warn', 'error', 'fatal']);
    expect(enabledOf(new LevelFilter('verbose', {}))).toEqual(LEVELS);
  });

  it('are none for a level that does not exist', () => {
    expect(new LevelFilter('log', {}).isEnabled('trace' as Level, undefined)).toBe(false);
  });
});

describe('A level of a context', () => {
  const filter = new LevelFilter('warn', {
    '*': 'error',
    'Orders*': 'log',
    'OrdersAudit*': 'fatal',
    OrdersService: 'debug',
    'OrdersService*': 'verbose',
  });

  it('comes from the longest pattern that matches, and an exact name wins', () => {
    const least = (context: string | undefined): Level | undefined => enabledOf(filter, context)[0];
    expect(least('OrdersService')).toBe('debug');
    expect(least('OrdersServiceCache')).toBe('verbose');
    expect(least('OrdersController')).toBe('log');
    expect(least('OrdersAuditTrail')).toBe('fatal');
    expect(least('Orders')).toBe('log');
    expect(least('PaymentsService')).toBe('error');
  });

  it('does not concern records without a context', () => {
    expect(enabledOf(filter)).toEqual(['warn', 'error', 'fatal']);
    expect(enabledOf(filter, '')).toEqual(['warn', 'error', 'fatal']);
  });

  it('stays when the general level changes at run time, and all other contexts follow', () => {
    const changing = new LevelFilter('log', { Noisy: 'error' });
    expect(enabledOf(changing, 'Quiet')[0]).toBe('log');
    changing.setLevels(['verbose']);
    expect(enabledOf(changing, 'Quiet')).toEqual(LEVELS);
    expect(enabledOf(changing, 'Noisy')).toEqual(['error', 'fatal']);
  });

  it('is right for any number of contexts, and the second time too', () => {
    const many = new LevelFilter('warn', { 'even*': 'debug', ['even'.padEnd(500, 'x')]: 'fatal' });
    for (let round = 0; round < 2; round++) {
      for (let n = 0; n < 3_000; n++) {
        expect(many.isEnabled('log', `${n % 2 === 0 ? 'even' : 'odd'}-${n}`)).toBe(n % 2 === 0);
      }
      expect(enabledOf(many, 'even'.padEnd(500, 'x'))).toEqual(['fatal']);
    }
  });
});

describe('Levels written as in NEST_LOG_LEVEL', () => {
  const pieces = fc.constantFrom(
    '>',
    '=',
    ',',
    ' ',
    'trace',
    ...LEVELS,
    ...LEVELS.map((level) => level.toUpperCase()),
  );

  it.each([
    ['warn', ['warn']],
    ['>=debug', ['debug', 'log', 'warn', 'error', 'fatal']],
    ['> warn', ['error', 'fatal']],
    ['Warn, ERROR', ['warn', 'error']],
    ['>fatal', []],
  ])('are understood: %s', (text, levels) => {
    expect(parseLevels(text)).toEqual(levels);
  });

  it.each(['', '  ', 'trace', 'warn,', 'warn,trace', '>', '>=', '>=trace', '>=warn,error', '=warn'])(
    'are refused when they cannot be understood: "%s"',
    (text) => {
      expect(parseLevels(text)).toBeUndefined();
    },
  );

  it('turn on what Nest turns on: every level where they are refused', () => {
    const saved = process.env['NEST_LOG_LEVEL'];
    class Silent extends ConsoleLogger {
      override warn(): void {
        // Nest would print that it refuses the text.
      }
    }
    try {
      fc.assert(
        fc.property(fc.array(pieces, { minLength: 1, maxLength: 5 }), (list) => {
          const text = list.join('');
          process.env['NEST_LOG_LEVEL'] = text;
          const nest = new Silent();
          const levels = parseLevels(text);
          expect(LEVELS.filter((level) => isLevelEnabled(level, levels ?? LEVELS))).toEqual(
            LEVELS.filter((level) => nest.isLevelEnabled(level)),
          );
          if (levels !== undefined) expect(levels).toEqual(filterLogLevels(text));
        }),
        { numRuns: 1_000 },
      );
    } finally {
      if (saved === undefined) delete process.env['NEST_LOG_LEVEL'];
      else process.env['NEST_LOG_LEVEL'] = saved;
    }
  });
});
