/** So often in a row must the server refuse a record, and take what was sent after it, before the record is set aside. */
const TRIES = 3;

/** What came of the writes that were sent after a record, up to the moment in which it was refused. */
export interface Refusal {
  /** Of the request that brought the record; see {@link DoubtedRecords.sending}. */
  readonly request: number;
  /** How many records of it were stored. */
  readonly passed: number;
  /** Whether something was sent after it in the same request. */
  readonly hasLater: boolean;
  /** Whether the server took something of that. */
  readonly tookLater: boolean;
}

interface Doubt {
  /** Refusals in a row upon which the server took something that was sent later. */
  tries: number;
  /** How many records had been stored before the first refusal. */
  readonly storedBefore: number;
  /** The last refusal, and the last request that was on its way then. */
  last: Refusal;
  lastRequest: number;
  tookLater: boolean;
}

/**
 * Records that the server refused for a reason of which nobody knows whether it is the record's or the server's: a
 * quota that is used up, a proxy whose upstream is away, a command that it finds something wrong with. Whoever has had
 * enough refuses all that comes from then on. So a record is given up only where the server, again and again, refuses
 * it and takes what was sent after it, and where it has stored another record of the stream meanwhile.
 */
export class DoubtedRecords {
  readonly #doubts = new Map<number, Doubt>();
  #requests = 0;
  #stored = 0;

  /** How many records are in doubt. */
  get size(): number {
    return this.#doubts.size;
  }

  /** A request is about to leave. Returns its number. */
  sending(): number {
    return ++this.#requests;
  }

  /** So many records of a request are stored; to be told before its refusals are judged. */
  passed(request: number, count: number): void {
    if (count === 0) return;
    this.#stored += count;
    for (const doubt of this.#doubts.values()) {
      if (doubt.last.request < request && request <= doubt.lastRequest) doubt.tookLater = true;
    }
  }

  /** The records numbered `first` to `last` have an outcome. */
  settled(first: number, last = first): void {
    for (let number = first; this.#doubts.size > 0 && number <= last; number++) this.#doubts.delete(number);
  }

  /** Whether to give the record up, now that it was refused once more. */
  isToBeSetAside(number: number, refusal: Refusal): boolean {
    const known = this.#doubts.get(number);
    const tries = known === undefined ? 0 : triesAfter(known);
    const storedBefore = known?.storedBefore ?? this.#stored - refusal.passed;
    const { tookLater } = refusal;
    this.#doubts.set(number, { tries, storedBefore, last: refusal, lastRequest: this.#requests, tookLater });
    return tries + (tookLater ? 1 : 0) >= TRIES && this.#stored > storedBefore;
  }
}

/** A refusal upon which nothing else followed says nothing; one upon which all else was refused, too, says it was none. */
function triesAfter({ tries, tookLater, last, lastRequest }: Doubt): number {
  if (tookLater) return tries + 1;
  return last.hasLater || lastRequest > last.request ? 0 : tries;
}
