import { openSync, readFileSync, writeSync } from 'node:fs';

/** How far a producer is. */
export interface Note {
  /** No number above this one has been emitted. */
  readonly emitted: number;
  /** Every number up to this one had left the memory: for the disk, or for Redis. */
  readonly safe: number;
  /** Records that its spool brought from earlier lives. */
  readonly recovered: number;
  readonly wrongAccounts: number;
}

/** Longer than any note, so that each covers the one before it. */
const NOTE_LENGTH = 160;

/** A file that always holds the newest note, also when its process was killed right after writing it. */
export class Notebook {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  write(note: Note): void {
    writeSync(this.#file, JSON.stringify(note).padEnd(NOTE_LENGTH), 0);
  }
}

/** The last note; of a process that had no time to write one, that it did nothing. */
export function readNote(path: string): Note {
  const text = readFileSync(path, 'utf8').trim();
  return text === '' ? { emitted: 0, safe: 0, recovered: 0, wrongAccounts: 0 } : (JSON.parse(text) as Note);
}
