/** The wishes of the last while, for who is to be slow to scale in. */
export class WishMemory {
  readonly #keptMs: number;
  readonly #sinceMs: number;
  /** Falling: a wish that a later one was not below can no longer be the highest. */
  #wishes: { readonly atMs: number; readonly consumers: number }[] = [];

  constructor(keptMs: number, nowMs: number) {
    this.#keptMs = keptMs;
    this.#sinceMs = nowMs;
  }

  /** Notes a wish, and gives the highest of the last `keptMs`; undefined before there were so many milliseconds. */
  note(consumers: number, nowMs: number): number | undefined {
    this.#wishes = this.#wishes.filter(
      (wish) => nowMs - wish.atMs <= this.#keptMs && wish.consumers > consumers,
    );
    this.#wishes.push({ atMs: nowMs, consumers });
    return nowMs - this.#sinceMs < this.#keptMs ? undefined : this.#wishes[0]?.consumers;
  }
}
