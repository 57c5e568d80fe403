import type { AdoptedEntry, AdoptedSpool } from './spool/spool.js';
import { type BatchShelf, UNGUARDED } from './spooler.js';

/** A batch, or a note, and where it lies. */
export interface LeftEntry {
  readonly entry: AdoptedEntry;
  readonly shelf: BatchShelf;
}

/** What earlier processes left for one stream under one producer. */
export interface LeftBatches {
  readonly stream: string;
  readonly producer: string;
  /**
   * The stream's last id before the producer's first send; `undefined`: it never began to send under a guard, or went on
   * without one.
   */
  readonly from: string | undefined;
  /** Some of it may have been sent without a guard: nobody can tell what of it is stored. */
  readonly isUnguarded: boolean;
  /** In the order of their numbers. */
  readonly batches: readonly LeftEntry[];
  /** Notes that the producer had begun to send. */
  readonly notes: readonly LeftEntry[];
}

/** Sorts what was adopted by stream and producer. A producer's batches and notes may lie in several places. */
export async function sortLeft(adopted: readonly AdoptedSpool[]): Promise<LeftBatches[]> {
  const groups = new Map<string, LeftEntry[]>();
  for (const shelf of adopted) {
    for (const entry of shelf.entries) {
      const key = JSON.stringify([entry.stream, entry.producer]);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [{ entry, shelf }]);
      else group.push({ entry, shelf });
    }
  }
  const left: LeftBatches[] = [];
  for (const group of groups.values()) left.push(await describe(group));
  return left.filter(({ batches }) => batches.length > 0);
}

async function describe(group: readonly LeftEntry[]): Promise<LeftBatches> {
  const [first] = group;
  const notes = group.filter(({ entry }) => entry.count === 0);
  const batches = group
    .filter(({ entry }) => entry.count > 0)
    .sort((one, other) => one.entry.first - other.entry.first);
  // Notes without batches have done their duty.
  if (batches.length === 0) for (const { entry, shelf } of notes) shelf.release(entry);
  const { stream = '', producer = '' } = first?.entry ?? {};
  const isUnguarded = group.some(({ entry }) => entry.holes === UNGUARDED);
  return {
    stream,
    producer,
    from: isUnguarded ? undefined : await firstNote(notes),
    isUnguarded,
    batches,
    notes,
  };
}

/** The oldest note counts: everything of the producer comes after it. */
async function firstNote(notes: readonly LeftEntry[]): Promise<string | undefined> {
  const [note] = notes;
  if (note === undefined) return undefined;
  const stored = await note.shelf.read(note.entry);
  // A note that cannot be read still says that something was sent; Redis must then look through all it has.
  return stored?.definitions ?? '0-0';
}
