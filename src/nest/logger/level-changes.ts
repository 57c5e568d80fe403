import { MAX_DELAY_MS, type Runtime } from '../../pipeline/runtime.js';
import { ContextPatterns } from '../../record/context-patterns.js';
import type { Level } from '../../record/severity.js';

/** A level for a context or a pattern of contexts; see `ContextPatterns`. */
export interface LevelChange {
  readonly context: string;
  readonly level: Level;
  /** Milliseconds from now; `undefined` without an end. */
  readonly remainingMs: number | undefined;
}

interface Standing {
  readonly level: Level;
  readonly endsAt: number;
}

/** Levels that were changed while the process runs. They end on time without being asked. */
export class LevelChanges {
  readonly #runtime: Runtime;
  readonly #changed: () => void;
  #standing = new Map<string, Standing>();
  #patterns = new ContextPatterns<Level>([]);
  #cancel: (() => void) | undefined;

  /** `changed` is called whenever `get` may answer differently from then on. */
  constructor(runtime: Runtime, changed: () => void) {
    this.#runtime = runtime;
    this.#changed = changed;
  }

  get isEmpty(): boolean {
    return this.#standing.size === 0;
  }

  /** `undefined`: nothing was changed for it. */
  get(context: string): Level | undefined {
    return this.isEmpty ? undefined : this.#patterns.get(context);
  }

  /** What holds now. */
  list(): LevelChange[] {
    const now = this.#runtime.now();
    return Array.from(this.#standing, ([context, { level, endsAt }]) => ({
      context,
      level,
      remainingMs: endsAt === Infinity ? undefined : Math.ceil(endsAt - now),
    })).filter(({ remainingMs = Infinity }) => remainingMs > 0);
  }

  set(change: LevelChange): void {
    this.#standing.set(change.context, this.#standingOf(change));
    this.#settle();
  }

  clear(context: string): void {
    if (this.#standing.delete(context)) this.#settle();
  }

  /** In the place of all that was set. */
  replace(changes: readonly LevelChange[]): void {
    this.#standing = new Map(changes.map((change) => [change.context, this.#standingOf(change)]));
    this.#settle();
  }

  #standingOf({ level, remainingMs }: LevelChange): Standing {
    return { level, endsAt: this.#runtime.now() + (remainingMs ?? Infinity) };
  }

  #settle(): void {
    const now = this.#runtime.now();
    let next = Infinity;
    for (const [context, { endsAt }] of this.#standing) {
      if (endsAt <= now) this.#standing.delete(context);
      else next = Math.min(next, endsAt);
    }
    this.#cancel?.();
    const delayMs = Math.min(MAX_DELAY_MS, next - now);
    this.#cancel = next === Infinity ? undefined : this.#runtime.after(delayMs, () => this.#settle());
    this.#patterns = new ContextPatterns(
      Array.from(this.#standing, ([context, { level }]) => [context, level] as const),
    );
    this.#changed();
  }
}
