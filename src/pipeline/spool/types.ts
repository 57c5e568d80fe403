import type { Runtime } from '../runtime.js';
import type { SpoolFiles } from './spool-files.js';
import type { Processes } from './processes.js';

/** One numbered batch, as it will be sent: opaque to the spool but for its place in the order. */
export interface SpoolBatch {
  readonly stream: string;
  readonly producer: string;
  /** Number of its first record. */
  readonly first: number;
  /** How many records it holds. */
  readonly count: number;
  readonly holes: number;
  readonly shed: number;
  /** JSON text that says how to read the payload. */
  readonly definitions: string;
  /** Must not change until the append has an outcome. */
  readonly payload: Buffer;
}

/** One batch on disk. */
export interface SpoolEntry {
  /** How many records it holds. */
  readonly count: number;
  /** What it takes on disk. */
  readonly bytes: number;
}

/** A batch that another process left: with what is needed to go on under its producer. */
export interface AdoptedEntry extends SpoolEntry {
  readonly stream: string;
  readonly producer: string;
  readonly first: number;
  readonly holes: number;
}

/** What one earlier process left behind. Its entries are in the order written; released ones are left out. */
export interface AdoptedSpool {
  readonly entries: readonly AdoptedEntry[];
  /** So many records of it were lost to damage; more where nobody can tell how many. */
  readonly lost: number;
  /** As {@link Spool.read}. */
  read(entry: SpoolEntry): Promise<SpoolBatch | undefined>;
  /** As {@link Spool.release}. With the last entry the files of that process are removed. */
  release(entry: SpoolEntry): void;
  /** Resolves when nothing of it is under way; what is not released stays for the next process. */
  close(): Promise<void>;
}

/**
 * What a problem is about. `full`: over the limit of size. `disk`: a write failed. `unsynced`: fdatasync failed, so
 * what was written since the last good one may not survive a power cut. `damaged`: bytes on disk that make no sense.
 * `lost`: records went with them.
 * `unreadable`: the disk does not give bytes back. `version`: written by another version of this package.
 * `target`: an earlier process had meant its records for another Redis. `adopt`:
 * what a dead process left cannot be taken over. `owner`: our own directory is gone, or cannot be kept up.
 * `too_large`: names longer than the format has room for. `closed`: appended after close.
 */
export type SpoolProblem =
  | 'full'
  | 'disk'
  | 'unsynced'
  | 'damaged'
  | 'lost'
  | 'unreadable'
  | 'version'
  | 'target'
  | 'adopt'
  | 'owner'
  | 'too_large'
  | 'closed';

export interface SpoolOptions {
  /** Made where it is missing; each process has a sub-directory of its own in it. Not a network file system. */
  readonly directory: string;
  /** Most bytes that this process keeps on disk, with what it adopted. Never exceeded. */
  readonly maxBytes: number;
  /** Where the records are to go, in words and without a password: who shares a directory is told when that differs. */
  readonly target?: string;
  /** A segment is closed when it would grow beyond this. Default 8 MiB, and never over a quarter of `maxBytes`. */
  readonly segmentBytes?: number;
  /** fdatasync runs at most so many milliseconds after a write: what a power cut can take. Default 50. */
  readonly syncMs?: number;
  /** Default: the file system. */
  readonly files?: SpoolFiles;
  /** Who we are, and who else is alive. Default: the system's processes. */
  readonly processes?: Processes;
  readonly runtime: Runtime;
  /** Called for everything that does not go as it should, with a text for people. May be called often. */
  readonly problem: (code: SpoolProblem, text: string) => void;
}

/** What the parts of a spool share. */
export interface SpoolContext {
  readonly files: SpoolFiles;
  readonly runtime: Runtime;
  /** The directory that all processes share. */
  readonly root: string;
  /** Where the records are to go; empty where that is not known. */
  readonly target: string;
  readonly problem: (code: SpoolProblem, text: string) => void;
}
