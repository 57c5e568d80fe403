import { SEVERITY_CLASSES } from '../../record/severity.js';

/** The severity numbers of a level, both included. */
export type LevelSpan = readonly [lowest: number, highest: number];

/** OpenTelemetry's names and Nest's, in the order of severity. */
const NAMES: readonly (readonly string[])[] = [
  ['trace', 'verbose'],
  ['debug'],
  ['info', 'log'],
  ['warn', 'warning'],
  ['error'],
  ['fatal'],
];

const SPANS: ReadonlyMap<string, LevelSpan> = new Map(
  NAMES.flatMap((names, index) =>
    names.map((name): [string, LevelSpan] => [name, [4 * index + 1, 4 * index + 4]]),
  ),
);

export const LEVEL_WORDS = [...SPANS.keys()].join(', ');

const HIGHEST = 4 * SEVERITY_CLASSES;

/** What a record counts as that has no severity: INFO, as the data model suggests to readers. */
export const DEFAULT_SEVERITY = 9;

/** A level's name means its four severity numbers; a number from 1 to 24 means itself. */
export function levelSpan(text: string): LevelSpan | undefined {
  const named = SPANS.get(text.toLowerCase());
  if (named !== undefined) return named;
  const number = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= HIGHEST ? [number, number] : undefined;
}
