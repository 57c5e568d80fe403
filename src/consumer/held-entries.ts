import type { LogEntry } from './entry.js';

/** `waiting`: for its next try. `handling`: with a handler. `handled`: the acknowledgement is not confirmed yet. */
export type HeldState = 'waiting' | 'handling' | 'handled';

/** Records to be handed out together, not before `dueAt`. */
export interface Retry {
  readonly entries: readonly LogEntry[];
  readonly dueAt: number;
}

/** What this consumer has in its hands, by entry id, and what of it is to be tried again. */
export class HeldEntries {
  readonly #states = new Map<string, HeldState>();
  /** Ordered by `dueAt`. */
  #retries: Retry[] = [];
  #waiting = 0;
  #isOver = false;

  get size(): number {
    return this.#states.size;
  }

  /** Records that wait for their next try. */
  get waiting(): number {
    return this.#waiting;
  }

  get ids(): string[] {
    return [...this.#states.keys()];
  }

  /** When the next try is due; `Infinity` when none is. */
  get nextDueAt(): number {
    return this.#retries[0]?.dueAt ?? Infinity;
  }

  stateOf(id: string): HeldState | undefined {
    return this.#states.get(id);
  }

  set(entries: readonly { readonly id: string }[], state: HeldState): void {
    if (this.#isOver) return;
    for (const { id } of entries) this.#states.set(id, state);
  }

  release(entries: readonly { readonly id: string }[]): void {
    for (const { id } of entries) this.#states.delete(id);
  }

  retry(entries: readonly LogEntry[], dueAt: number): void {
    if (this.#isOver) return;
    this.set(entries, 'waiting');
    this.#waiting += entries.length;
    let at = this.#retries.length;
    while (at > 0 && (this.#retries[at - 1]?.dueAt ?? 0) > dueAt) at--;
    this.#retries.splice(at, 0, { entries, dueAt });
  }

  /** Nothing is held any more, and nothing will be: whatever a late handler says of its records, others have them. */
  end(): void {
    this.#isOver = true;
    this.#states.clear();
    this.#retries = [];
    this.#waiting = 0;
  }

  /** The next try that is due, taken off the list. */
  takeDue(now: number): readonly LogEntry[] | undefined {
    if (this.nextDueAt > now) return undefined;
    const entries = this.#retries.shift()?.entries ?? [];
    this.#waiting -= entries.length;
    return entries;
  }
}
