interface NumberRange {
  readonly from: number;
  readonly to: number;
}

/** Sequence numbers that will never come. They are rare: each one is a bad record or a rollback. */
export class NumberRanges {
  #ranges: NumberRange[] = [];

  /** `from` to `to`, both included. */
  add(from: number, to: number): void {
    // A rollback can take in numbers that were set aside before; none may count twice.
    const ranges: NumberRange[] = [{ from, to }];
    for (const range of this.#ranges) {
      if (range.from < from) ranges.push({ from: range.from, to: Math.min(range.to, from - 1) });
      if (range.to > to) ranges.push({ from: Math.max(range.from, to + 1), to: range.to });
    }
    this.#ranges = ranges;
  }

  /** How many of the numbers `from` to `to` are in here. */
  countWithin(from: number, to: number): number {
    let count = 0;
    for (const range of this.#ranges) {
      count += Math.max(0, Math.min(range.to, to) - Math.max(range.from, from) + 1);
    }
    return count;
  }

  clear(): void {
    this.#ranges = [];
  }
}
