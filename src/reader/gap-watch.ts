import { compareIds, FIRST_ID } from '../redis/entry-id.js';
import type { StreamInfo } from '../redis/range-reader.js';
import type { TailGap } from './types.js';

/** So many of the last ids are remembered, to tell a failover that forgot some from a stream made anew. */
const REMEMBERED_IDS = 1_000;

type Found = Pick<TailGap, 'missed' | 'reason'>;

interface Read {
  readonly ids: readonly string[];
  readonly info: StreamInfo;
}

/**
 * Finds out whether entries of a stream went away before a tail saw them, from what XINFO STREAM says after each read.
 * Redis trims from the old end, and counts what it ever added: so it is known how many entries are gone, and by our own
 * count how many of these we have seen.
 */
export class GapWatch {
  /** Id of the last entry that was read, or where reading began. */
  cursor: string;
  /** How many entries the stream had ever got when the one at the cursor was added; undefined while unknown. */
  #ordinal: number | undefined;
  #recent: string[] = [];
  #isDeleted = false;

  constructor(cursor: string, info: StreamInfo | undefined) {
    this.cursor = cursor;
    if (info === undefined) this.#ordinal = 0;
    else if (compareIds(info.lastId, cursor) <= 0) this.#ordinal = info.entriesAdded;
  }

  /** Takes the ids that were read, and what was said of the stream right after; returns what is gone unseen. */
  read(ids: readonly string[], info: StreamInfo | undefined): Found | undefined {
    const before = this.cursor;
    this.cursor = ids.at(-1) ?? before;
    this.#remember(ids);
    if (info === undefined) return this.#deleted();
    this.#isDeleted = false;
    return this.#recreated(before, info) ?? this.#counted(before, { ids, info });
  }

  #deleted(): Found | undefined {
    const isNew = !this.#isDeleted && this.#recent.length > 0;
    this.#isDeleted = true;
    this.#ordinal = 0;
    this.#recent = [];
    return isNew ? { missed: undefined, reason: 'deleted' } : undefined;
  }

  #recreated(before: string, { lastId, firstId, entriesAdded = Infinity }: StreamInfo): Found | undefined {
    if (this.#recent.length === 0) return undefined;
    if (compareIds(lastId, this.cursor) < 0) {
      // A failover may forget the last entries; what is left of those we have seen.
      if (this.#recent.includes(lastId)) {
        this.cursor = lastId;
        this.#ordinal = entriesAdded === Infinity ? undefined : entriesAdded;
        return undefined;
      }
      // Its ids begin below ours: everything in it is new.
      this.cursor = FIRST_ID;
    } else if (!(entriesAdded < (this.#ordinal ?? 0) && compareIds(firstId, before) > 0)) {
      return undefined;
    }
    this.#ordinal = undefined;
    this.#recent = [];
    return { missed: undefined, reason: 'recreated' };
  }

  #counted(before: string, { ids, info }: Read): Found | undefined {
    const { firstId, lastId, length, entriesAdded } = info;
    const known = this.#ordinal;
    // Nothing older than what we got is left, so all that went before it is gone.
    const isFirst = ids.length > 0 && firstId === ids[0];
    const gone = entriesAdded === undefined ? undefined : entriesAdded - length;
    let ordinal = known === undefined ? undefined : known + ids.length;
    // From the start means from what is there.
    const isStart = before === FIRST_ID && known === undefined;
    let missed = isFirst && !isStart ? goneUnseen(gone, known) : 0;
    if (isFirst && gone !== undefined) ordinal = gone + ids.length;
    if (lastId === this.cursor && entriesAdded !== undefined) {
      // Nothing is left to read: whatever was added and not counted is gone.
      if (ordinal !== undefined && missed !== undefined) missed += Math.max(0, entriesAdded - ordinal);
      ordinal = entriesAdded;
    }
    this.#ordinal = ordinal;
    return missed === undefined || missed > 0 ? { missed, reason: 'trimmed' } : undefined;
  }

  #remember(ids: readonly string[]): void {
    for (const id of ids) this.#recent.push(id);
    if (this.#recent.length > 2 * REMEMBERED_IDS) this.#recent = this.#recent.slice(-REMEMBERED_IDS);
  }
}

function goneUnseen(gone: number | undefined, seen: number | undefined): number | undefined {
  if (gone === 0) return 0;
  return gone === undefined || seen === undefined ? undefined : gone - seen;
}
