/** How many contexts are remembered. An application has some hundred; more only if a context holds data. */
const MAX_CONTEXTS = 1_000;

/** Longer contexts are not remembered: they are data (Nest 11 takes a trailing stack trace for a context). */
const MAX_CONTEXT_LENGTH = 200;

interface Pattern<T> {
  /** The parts between the stars; at least two. */
  readonly parts: readonly string[];
  readonly value: T;
}

/**
 * Values by context. A pattern is a context, or one in which each `*` stands for any text, also for none; `*` alone is
 * every context. An exact one wins over a pattern, and of patterns that which has more characters beside its stars.
 */
export class ContextPatterns<T> {
  readonly #exact = new Map<string, T>();
  /** The most specific first. */
  readonly #patterns: readonly Pattern<T>[];
  /** What was found for contexts seen so far. Emptied when full: it then fills with what is in use. */
  readonly #seen = new Map<string, T | undefined>();

  constructor(patterns: Iterable<readonly [pattern: string, value: T]>) {
    const withStars: Pattern<T>[] = [];
    for (const [pattern, value] of patterns) {
      if (pattern.includes('*')) withStars.push({ parts: pattern.split('*'), value });
      else this.#exact.set(pattern, value);
    }
    this.#patterns = withStars.sort((a, b) => b.parts.join('').length - a.parts.join('').length);
  }

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#patterns.length === 0;
  }

  get(context: string): T | undefined {
    const known = this.#seen.get(context);
    if (known !== undefined || this.#seen.has(context)) return known;
    const found = this.#find(context);
    if (context.length <= MAX_CONTEXT_LENGTH) {
      if (this.#seen.size >= MAX_CONTEXTS) this.#seen.clear();
      this.#seen.set(context, found);
    }
    return found;
  }

  #find(context: string): T | undefined {
    const exact = this.#exact.get(context);
    if (exact !== undefined) return exact;
    return this.#patterns.find(({ parts }) => matches(context, parts))?.value;
  }
}

/** Each part is taken where it comes first: if the parts can be found at all, they are found so. */
function matches(context: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  const end = context.length - last.length;
  if (!context.startsWith(first) || !context.endsWith(last)) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = context.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= end;
}
