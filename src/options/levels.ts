import type { Level } from '../record/severity.js';

/** The order is that of severity; the type makes sure that no level is missing. */
const BY_SEVERITY: Readonly<Record<Level, true>> = {
  verbose: true,
  debug: true,
  log: true,
  warn: true,
  error: true,
  fatal: true,
};

/** Nest's levels, the least severe first. */
export const LEVEL_NAMES = Object.keys(BY_SEVERITY) as readonly Level[];

/**
 * The least severe level that a text asks for, in the forms Nest knows for `NEST_LOG_LEVEL`: `warn`,
 * `>=debug`, `>debug`, `warn,error`. Undefined when it is none of these.
 */
export function parseLevel(text: string): Level | undefined {
  const compact = text.replaceAll(' ', '').toLowerCase();
  if (!compact.startsWith('>')) {
    const listed = compact.split(',');
    const known = LEVEL_NAMES.filter((level) => listed.includes(level));
    return listed.every((name) => known.some((level) => level === name)) ? known[0] : undefined;
  }
  const orEqual = compact[1] === '=';
  const name = compact.slice(orEqual ? 2 : 1);
  const index = LEVEL_NAMES.findIndex((level) => level === name);
  return index < 0 ? undefined : LEVEL_NAMES[orEqual ? index : index + 1];
}
