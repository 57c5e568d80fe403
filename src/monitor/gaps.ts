import type { Guard, RawEntry } from '../redis/monitor-reads.js';
import type { ProducerSample } from './types.js';

/** Producers followed at once; one is a process start, so old ones are forgotten. */
const MAX_PRODUCERS = 1_000;
/** Numbers of one producer that may still come late: without a guard, batches can overtake each other. */
const MAX_LATE = 1_000;

interface Followed {
  lastSeq: number;
  entries: number;
  missing: number;
  /** Which of them are missing, as far as remembered. */
  readonly late: Set<number>;
  duplicates: number;
  /** The guard's holes when this producer was first seen; undefined: not read yet, null: cannot be told. */
  holesBefore: number | null | undefined;
  guard: Guard | undefined;
}

/**
 * Follows the numbers of every producer through the entries of one stream. A number that is left out was either given
 * up by its producer, which says so in its guard, or lost in Redis.
 */
export class GapWatch {
  readonly #producers = new Map<string, Followed>();

  /** Entries in their order. Returns the producers that were among them. */
  note(entries: readonly RawEntry[]): Set<string> {
    const seen = new Set<string>();
    for (const { fields } of entries) {
      const { producer, seq } = numberOf(fields);
      if (producer === undefined || seq === undefined) continue;
      seen.add(producer);
      this.#follow(producer, seq);
    }
    return seen;
  }

  /** What the producer's guard says now; to be read after the entries were. */
  account(producer: string, guard: Guard | undefined): void {
    const followed = this.#producers.get(producer);
    if (followed === undefined) return;
    followed.guard = guard;
    if (followed.holesBefore !== undefined) return;
    followed.holesBefore = holesAtFirst(followed, guard);
  }

  /** Entries were trimmed before they were looked at: what came meanwhile is not known to be missing. */
  skip(): void {
    this.#producers.clear();
  }

  samples(): ProducerSample[] {
    return Array.from(this.#producers, ([producer, followed]) => {
      const { lastSeq, entries, missing, duplicates, guard } = followed;
      const givenUp = givenUpBy(followed);
      const unexplained =
        missing === 0 ? 0 : givenUp === undefined ? undefined : Math.max(0, missing - givenUp);
      return { producer, lastSeq, entries, missing, givenUp, unexplained, shed: guard?.shed, duplicates };
    });
  }

  #follow(producer: string, seq: number): void {
    const followed = this.#producers.get(producer);
    // Taken out and put back, so that the first in the map is who was silent for longest.
    this.#producers.delete(producer);
    if (followed === undefined) {
      this.#forgetOldest();
      const holesBefore = seq === 1 ? 0 : undefined;
      const fresh = {
        lastSeq: seq,
        entries: 1,
        missing: 0,
        late: new Set<number>(),
        duplicates: 0,
        holesBefore,
        guard: undefined,
      };
      this.#producers.set(producer, fresh);
      return;
    }
    this.#producers.set(producer, followed);
    followed.entries++;
    if (followed.late.delete(seq)) {
      followed.missing--;
      return;
    }
    if (seq <= followed.lastSeq) {
      followed.duplicates++;
      return;
    }
    for (let absent = followed.lastSeq + 1; absent < seq && followed.late.size < MAX_LATE; absent++) {
      followed.late.add(absent);
    }
    followed.missing += seq - followed.lastSeq - 1;
    followed.lastSeq = seq;
  }

  #forgetOldest(): void {
    if (this.#producers.size < MAX_PRODUCERS) return;
    for (const producer of this.#producers.keys()) {
      this.#producers.delete(producer);
      return;
    }
  }
}

/** What was given up before the first entry seen. Null: it cannot be told from what was given up since. */
function holesAtFirst({ missing }: Followed, guard: Guard | undefined): number | null {
  if (guard === undefined || guard.holes < 0) return null;
  return missing === 0 || guard.holes === 0 ? guard.holes : null;
}

function givenUpBy({ holesBefore, guard, missing }: Followed): number | undefined {
  if (typeof holesBefore !== 'number' || guard === undefined || guard.holes < 0) return undefined;
  // What it gave up after the last entry seen does not explain what is missing before it.
  return Math.min(missing, Math.max(0, guard.holes - holesBefore));
}

function numberOf(fields: readonly string[]): { producer: string | undefined; seq: number | undefined } {
  let producer: string | undefined;
  let seq: number | undefined;
  for (let index = 0; index + 1 < fields.length; index += 2) {
    if (fields[index] === 'producer') producer ??= fields[index + 1];
    else if (fields[index] === 'seq') seq ??= Number(fields[index + 1]);
    if (producer !== undefined && seq !== undefined) break;
  }
  const isNumber = seq !== undefined && Number.isSafeInteger(seq) && seq > 0;
  return { producer: producer || undefined, seq: isNumber ? seq : undefined };
}
