import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pathFilter } from '../../../src/nest/http/path-filter.js';

const matches = (pattern: string | RegExp, path: string): boolean => pathFilter([pattern])?.(path) ?? false;

describe('A path that is left out', () => {
  it.each([
    ['/health', '/health', true],
    ['/health', '/health/', false],
    ['/health', '/healthy', false],
    ['/health/*', '/health/db', true],
    ['/health/*', '/health/db/deep', false],
    ['/health/**', '/health/db/deep', true],
    ['/*.js', '/app.js', true],
    ['/*.js', '/appxjs', false],
    ['/a+(b)', '/a+(b)', true],
    ['**', '/anything/at/all', true],
  ])('is matched as a whole: %s and %s: %s', (pattern, path, expected) => {
    expect(matches(pattern, path)).toBe(expected);
  });

  it('is any path without a star, matched by itself and by no other', () => {
    const path = fc.string().filter((text) => !text.includes('*'));
    fc.assert(fc.property(path, path, (one, other) => matches(one, other) === (one === other)));
  });

  it('is matched by an expression every time, whatever its flags', () => {
    const filter = pathFilter([/^\/live/g]);
    expect([1, 2, 3].map(() => filter?.('/live'))).toEqual([true, true, true]);
  });

  it('costs nothing where there is no pattern', () => {
    expect(pathFilter([])).toBeUndefined();
  });
});
