/** Whole numbers, kept as ranges: few, since they come nearly in order. */
export class NumberSet {
  readonly #from: number[] = [];
  readonly #to: number[] = [];

  get ranges(): number {
    return this.#from.length;
  }

  range(index: number): readonly [from: number, to: number] {
    return [this.#from[index] ?? 0, this.#to[index] ?? 0];
  }

  has(number: number): boolean {
    const index = this.#lastFrom(number);
    return index >= 0 && number <= (this.#to[index] ?? 0);
  }

  add(number: number): void {
    this.addRange(number, number);
  }

  /** `from` to `to`, both included. Must not be in here in part. */
  addRange(from: number, to: number): void {
    const before = this.#lastFrom(from);
    if (before >= 0 && to <= (this.#to[before] ?? 0)) return;
    const after = before + 1;
    const joinsBefore = before >= 0 && this.#to[before] === from - 1;
    const joinsAfter = after < this.#from.length && this.#from[after] === to + 1;
    if (joinsBefore && joinsAfter) {
      this.#to[before] = this.#to[after] ?? to;
      this.#from.splice(after, 1);
      this.#to.splice(after, 1);
    } else if (joinsBefore) this.#to[before] = to;
    else if (joinsAfter) this.#from[after] = from;
    else {
      this.#from.splice(after, 0, from);
      this.#to.splice(after, 0, to);
    }
  }

  /** The last range that begins at `number` or before it; -1 when there is none. */
  #lastFrom(number: number): number {
    let low = 0;
    let high = this.#from.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#from[middle] ?? 0) <= number) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
