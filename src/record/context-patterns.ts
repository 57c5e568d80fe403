/** How many contexts are remembered. An application has some hundred; more only if a context holds data. */
const MAX_CONTEXTS = 1_000;

/** Longer contexts are not remembered: they are data (Nest 11 takes a trailing stack trace for a context). */
const MAX_CONTEXT_LENGTH = 200;

interface Prefix<T> {
  readonly text: string;
  readonly value: T;
}

/**
 * Values by context. A pattern is a context, or the beginning of one with a trailing `*`; `*` alone is every context. An
 * exact one wins over a beginning, and a longer beginning over a shorter one.
 */
export class ContextPatterns<T> {
  readonly #exact = new Map<string, T>();
  /** Longest first. */
  readonly #prefixes: readonly Prefix<T>[];
  /** What was found for contexts seen so far. Emptied when full: it then fills with what is in use. */
  readonly #seen = new Map<string, T | undefined>();

  constructor(patterns: Iterable<readonly [pattern: string, value: T]>) {
    const prefixes: Prefix<T>[] = [];
    for (const [pattern, value] of patterns) {
      if (pattern.endsWith('*')) prefixes.push({ text: pattern.slice(0, -1), value });
      else this.#exact.set(pattern, value);
    }
    this.#prefixes = prefixes.sort((a, b) => b.text.length - a.text.length);
  }

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#prefixes.length === 0;
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
    return this.#prefixes.find(({ text }) => context.startsWith(text))?.value;
  }
}
