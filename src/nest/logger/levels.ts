import { type Runtime, systemRuntime } from '../../pipeline/runtime.js';
import { ContextPatterns } from '../../record/context-patterns.js';
import { LEVELS, type Level } from '../../record/severity.js';
import { LevelChanges } from './level-changes.js';

/** A set of levels: bit n stands for the n-th least severe one. */
type LevelSet = number;

const BITS: Readonly<Record<Level, LevelSet>> = {
  verbose: 1,
  debug: 2,
  log: 4,
  warn: 8,
  error: 16,
  fatal: 32,
};

const EVERY_LEVEL: LevelSet = 63;

/** How many contexts are remembered. An application has some hundred; more only if a context holds data. */
const MAX_CONTEXTS = 1_000;

/** Longer contexts are not remembered: they are data (Nest 11 takes a trailing stack trace for a context). */
const MAX_CONTEXT_LENGTH = 200;

function isLevel(text: string): text is Level {
  return Object.hasOwn(BITS, text);
}

/** As in Nest, a list also turns on whatever is more severe than its most severe level; an empty one, nothing. */
function setOf(levels: readonly Level[]): LevelSet {
  let listed = 0;
  for (const level of levels) listed |= BITS[level];
  return listed === 0 ? 0 : listed | atLeast(31 - Math.clz32(listed));
}

function atLeast(index: number): LevelSet {
  return EVERY_LEVEL & (-1 << index);
}

/**
 * Nest's own test: is `level` among the listed ones, or at least as severe as the most severe of them?
 */
export function isLevelEnabled(level: Level, levels: readonly Level[]): boolean {
  return (setOf(levels) & BITS[level]) !== 0;
}

/**
 * Reads the notations of Nest's `NEST_LOG_LEVEL`: a level (`warn`), a list (`warn,error`) or a threshold
 * (`>=debug`, `>debug`), in any case and with blanks anywhere.
 *
 * @returns the levels to hand to {@link LevelFilter.setLevels} or {@link isLevelEnabled}; `undefined` for an
 * empty text, and for one that names no level or an unknown one
 */
export function parseLevels(text: string): readonly Level[] | undefined {
  const compact = text.replaceAll(' ', '').toLowerCase();
  if (compact.startsWith('>')) {
    const inclusive = compact.startsWith('>=');
    const level = compact.slice(inclusive ? 2 : 1);
    return isLevel(level) ? LEVELS.slice(LEVELS.indexOf(level) + (inclusive ? 0 : 1)) : undefined;
  }
  const levels = compact.split(',');
  return levels.every(isLevel) ? levels : undefined;
}

/**
 * Which levels are on, by context. A key of `levels` is a context, or a pattern with `*` for any text. An exact one wins,
 * then the pattern with the most characters; where none matches, and for records without a context, `level` decides. A
 * level turns on itself and all that is more severe.
 *
 * Levels set at run time come before those: first what this process was told (`own`), then the fleet (`fleet`). Of them,
 * `*` means records without a context too. What was decided for a context is remembered until one of all these changes.
 */
export class LevelFilter {
  #base: LevelSet;
  readonly #configured: ContextPatterns<LevelSet>;
  readonly own: LevelChanges;
  readonly fleet: LevelChanges;
  #hasRules = false;
  /** What was decided for contexts seen so far. Emptied when full: it then fills with what is in use. */
  readonly #seen = new Map<string, LevelSet>();

  constructor(level: Level, levels: Readonly<Record<string, Level>>, runtime: Runtime = systemRuntime) {
    this.#base = setOf([level]);
    this.#configured = new ContextPatterns(setsOf(Object.entries(levels)));
    const changed = (): void => this.#changed();
    this.own = new LevelChanges(runtime, changed);
    this.fleet = new LevelChanges(runtime, changed);
    this.#changed();
  }

  /** True when the context of a record makes a difference. */
  get hasRules(): boolean {
    return this.#hasRules;
  }

  /** Is a record of this level and context to be written? */
  isEnabled(level: Level, context: string | undefined): boolean {
    const set = this.#hasRules ? this.#levelsOf(context ?? '') : this.#base;
    return (set & BITS[level]) !== 0;
  }

  /**
   * Replaces `level`, as Nest's `setLogLevels` does: see {@link isLevelEnabled}. Contexts with a level of
   * their own keep it.
   */
  setLevels(levels: readonly Level[]): void {
    this.#base = setOf(levels);
    this.#changed();
  }

  #changed(): void {
    this.#seen.clear();
    this.#hasRules = !this.#configured.isEmpty || !this.own.isEmpty || !this.fleet.isEmpty;
  }

  #levelsOf(context: string): LevelSet {
    const known = this.#seen.get(context);
    if (known !== undefined) return known;
    const decided = this.#decide(context);
    if (context.length <= MAX_CONTEXT_LENGTH) {
      if (this.#seen.size >= MAX_CONTEXTS) this.#seen.clear();
      this.#seen.set(context, decided);
    }
    return decided;
  }

  #decide(context: string): LevelSet {
    const changed = this.own.get(context) ?? this.fleet.get(context);
    if (changed !== undefined) return setOf([changed]);
    return (context === '' ? undefined : this.#configured.get(context)) ?? this.#base;
  }
}

function setsOf(levels: readonly (readonly [string, Level])[]): [string, LevelSet][] {
  return levels.map(([pattern, least]) => [pattern, setOf([least])]);
}
