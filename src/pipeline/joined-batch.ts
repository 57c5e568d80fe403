import { Batch, type BatchLimits, type SpoolTicket } from './batch.js';

/** Gathers batches whose numbers follow each other, as far as they go into one request. */
export class Joining {
  readonly #limits: BatchLimits;
  readonly #parts: Batch[] = [];
  #count = 0;
  #bytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  get parts(): readonly Batch[] {
    return this.#parts;
  }

  get isFull(): boolean {
    return this.#count >= this.#limits.maxRecords || this.#bytes >= this.#limits.maxBytes;
  }

  /** False: it does not belong in the same request. The first one always does. */
  add(batch: Batch): boolean {
    const last = this.#parts.at(-1);
    if (last !== undefined) {
      const { maxRecords, maxBytes } = this.#limits;
      const isTooMuch = this.#count + batch.count > maxRecords || this.#bytes + batch.byteLength > maxBytes;
      // What is on disk and what is in memory alone have different ends.
      const isElsewhere = (batch.ticket === undefined) !== (last.ticket === undefined);
      if (isTooMuch || isElsewhere || batch.first !== last.last + 1) return false;
    }
    this.#parts.push(batch);
    this.#count += batch.count;
    this.#bytes += batch.byteLength;
    return true;
  }

  /** All of them as one batch; `undefined` when there are none. */
  join(): Batch | undefined {
    const [first] = this.#parts;
    if (first === undefined || this.#parts.length === 1) return first;
    const joined = new Batch(this.#count, this.#bytes);
    for (const part of this.#parts) {
      joined.append(part);
      joined.wasSent ||= part.wasSent;
    }
    joined.first = first.first;
    if (first.ticket !== undefined) joined.ticket = joinTickets(this.#parts);
    return joined;
  }
}

/** Several batches' copies as one. */
function joinTickets(batches: readonly Batch[]): SpoolTicket {
  const tickets = batches.map(({ ticket, count }) => ({ ticket, count }));
  let left = tickets.reduce((sum, { count }) => sum + count, 0);
  return {
    settle(count) {
      left -= count;
      if (left === 0) for (const part of tickets) part.ticket?.settle(part.count);
    },
  };
}
