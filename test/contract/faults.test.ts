import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/faults.md`, 'utf8');

/** How many faults there are of each kind. */
const KINDS = { R: 24, P: 13, D: 20, S: 13 } as const;
const ALL = Object.entries(KINDS).flatMap(([kind, count]) =>
  Array.from({ length: count }, (_, at) => `${kind}${at + 1}`),
);

interface Row {
  readonly id: string;
  readonly cells: readonly string[];
}

const rows: readonly Row[] = page
  .split('\n')
  .filter((line) => /^\| [RPDS]\d+ \|/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, id = '', ...cells]) => ({ id, cells: cells.slice(0, -1) }));

/** `path`: "title", wherever the page says it. */
const named = [...page.matchAll(/`(test\/[^`]+\.test\.ts)`: "([^"]+)"/g)].map(
  ([, path = '', title = '']) => ({
    path,
    title,
  }),
);

/** The titles in the source of a test file: they follow `it(`, or are rows of an `it.each`. */
function hasTitle(source: string, title: string): boolean {
  return ["'", '"', '`'].some(
    (quote) => source.includes(`${quote}${title}${quote}`) || source.includes(`${quote}${title};`),
  );
}

describe('docs/faults.md', () => {
  it('has every fault, each once and in order', () => {
    expect(rows.map(({ id }) => id)).toEqual(ALL);
  });

  it('says of each what happens and what becomes of the records, and names a test or a reason for none', () => {
    const isSaid = ({ cells: [fault = '', outcome = '', shown = ''] }: Row): boolean =>
      fault !== '' && outcome !== '' && /^`test\/[^`]+\.test\.ts`: "|^No test: ./.test(shown);
    expect(rows.filter((row) => !isSaid(row)).map(({ id }) => id)).toEqual([]);
  });

  it('names only tests that are there', () => {
    const isMissing = ({ path, title }: (typeof named)[number]): boolean =>
      !existsSync(root + path) || !hasTitle(readFileSync(root + path, 'utf8'), title);
    expect(named.filter(isMissing)).toEqual([]);
    expect(named.length).toBeGreaterThan(ALL.length);
  });
});
