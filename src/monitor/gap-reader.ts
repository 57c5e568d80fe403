import type { MonitorConnection } from '../redis/monitor-connection.js';
import { readGuard, readPage } from '../redis/monitor-reads.js';
import type { StreamState } from '../redis/monitor-replies.js';
import { compareIds, FIRST_ID } from '../redis/entry-id.js';
import { GapWatch } from './gaps.js';
import type { ProducerSample } from './types.js';

/** Entries whose numbers are followed per sample, at most: about 13 ms of the server's time. */
const MAX_ENTRIES = 10_000;
const PAGE = 1_000;

/** How far the entries were read: the last one, and how many were added until then. */
interface Place {
  readonly id: string;
  readonly position: number;
}

const START: Place = { id: FIRST_ID, position: 0 };

/** Reads the entries that come to a stream, for the numbers of their producers. */
export class GapReader {
  readonly #connection: MonitorConnection;
  readonly #stream: string;
  readonly #gaps = new GapWatch();
  #place: Place | undefined;

  constructor(connection: MonitorConnection, stream: string) {
    this.#connection = connection;
    this.#stream = stream;
  }

  /** For a stream that is not there: all that comes with it will be new. */
  startAnew(): void {
    this.#gaps.skip();
    this.#place = START;
  }

  /** What is there when it is called first counts as read. */
  async read(state: StreamState): Promise<void> {
    this.#place ??= endOf(state, 0);
    if (isTrimmedUnseen(state, this.#place)) {
      this.#gaps.skip();
      this.#place = { ...this.#place, position: removedFrom(state) };
    }
    const producers = await this.#readEntries(state, this.#place);
    await Promise.all(Array.from(producers, (producer) => this.#readGuard(producer)));
  }

  samples(): ProducerSample[] {
    return this.#gaps.samples();
  }

  async #readEntries(state: StreamState, from: Place): Promise<Set<string>> {
    const producers = new Set<string>();
    let place = from;
    for (let read = 0; read < MAX_ENTRIES; read += PAGE) {
      const range = { stream: this.#stream, from: `(${place.id}`, to: state.lastGeneratedId };
      const page = await readPage(this.#connection, range, PAGE);
      for (const producer of this.#gaps.note(page)) producers.add(producer);
      place = { id: page.at(-1)?.id ?? place.id, position: place.position + page.length };
      // At the end of the stream the position is known, whatever was deleted on the way.
      if (page.length < PAGE) place = endOf(state, place.position);
      this.#place = place;
      if (page.length < PAGE) break;
    }
    return producers;
  }

  async #readGuard(producer: string): Promise<void> {
    const guard = readGuard(this.#connection, this.#stream, producer);
    this.#gaps.account(producer, await guard.catch(() => undefined));
  }
}

function endOf({ lastGeneratedId, entriesAdded }: StreamState, position: number): Place {
  return { id: lastGeneratedId, position: entriesAdded ?? position };
}

/** Whether entries were trimmed that come after the last one that was followed. */
function isTrimmedUnseen(state: StreamState, place: Place): boolean {
  if (state.entriesAdded !== undefined) return removedFrom(state) > place.position;
  return state.firstId !== undefined && compareIds(state.firstId, place.id) > 0;
}

function removedFrom({ entriesAdded = 0, length }: StreamState): number {
  return entriesAdded - length;
}
