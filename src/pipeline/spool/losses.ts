import type { FrameMeta } from './frame.js';
import { NumberSet } from './number-set.js';

interface Seen {
  /** Number of the frame that was seen last. */
  frame: number;
  /** The record that comes after it. */
  next: number;
  /** How much damage had been met by then. */
  damage: number;
}

/**
 * Counts the records that damage took from what a process left. A producer numbers its records without gaps; so what is
 * missing between two of its frames, with damage in between, was there once. What was released there is no loss.
 * At the end of what was written nobody can tell: a process that is killed leaves half a frame there as well.
 */
export class Losses {
  readonly #released: NumberSet;
  readonly #found = new NumberSet();
  readonly #producers = new Map<string, Seen>();
  readonly #beginsAtFirst: boolean;
  #damage = 0;
  /** Frames that were counted as lost, by what comes before and after them. */
  readonly #missing = new Set<number>();
  records = 0;

  /** `beginsAtFirst`: nothing of what was written first has been removed. */
  constructor(released: NumberSet, beginsAtFirst: boolean) {
    this.#released = released;
    this.#beginsAtFirst = beginsAtFirst;
  }

  damaged(): void {
    this.#damage++;
  }

  /** Frames that are lost, and need not be counted by the next process again. */
  get frames(): readonly number[] {
    return [...this.#missing].filter((number) => !this.#found.has(number));
  }

  /** Frames in the order of the file. */
  frame(number: number, { stream, producer, first, count }: FrameMeta): void {
    if (!this.#found.has(number)) this.#found.add(number);
    // A note, which has no records.
    if (count === 0) return;
    const key = JSON.stringify([stream, producer]);
    const before = this.#producers.get(key) ?? this.#beginning();
    const next = Math.max(first + count, before?.next ?? 0);
    if (before !== undefined && first > before.next && this.#damage > before.damage) {
      this.records += Math.round((first - before.next) * this.#shareNotReleased(before.frame, number));
    }
    this.#producers.set(key, { frame: number, next, damage: this.#damage });
  }

  #beginning(): Seen | undefined {
    return this.#beginsAtFirst ? { frame: 0, next: 1, damage: 0 } : undefined;
  }

  /** Which part of the frames that are missing between two was still needed. */
  #shareNotReleased(from: number, to: number): number {
    let missing = 0;
    let needed = 0;
    for (let number = from + 1; number < to; number++) {
      if (this.#found.has(number)) continue;
      missing++;
      if (this.#released.has(number)) continue;
      needed++;
      this.#missing.add(number);
    }
    return missing === 0 ? 0 : needed / missing;
  }
}
