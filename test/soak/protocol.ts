import type { FlushResult, LogStats } from '../../src/core.js';

/** What the app under test is started with. */
export interface AppSettings {
  readonly url: string;
  readonly stream: string;
  /** Names of its producers: each is a writer with a connection and an account of its own. */
  readonly names: readonly string[];
  /** Records per second, over all producers. */
  readonly rate: number;
  /** Bounds of each producer's queue. Default 100,000 records and 32 MiB. */
  readonly queue?: { readonly maxRecords?: number; readonly maxBytes?: number };
  /** Default 1,500. */
  readonly sendTimeoutMs?: number;
  /** How long `finish` may take. Default 60,000. */
  readonly closeTimeoutMs?: number;
  /** Only for an app of one producer: where it spools, and the file of its notes. Default: no spool. */
  readonly spool?: { readonly directory: string; readonly notes: string };
}

export type VerifierSettings = Pick<AppSettings, 'url' | 'stream'>;

/** What was found of one producer's records. */
export interface Found {
  stored: number;
  /** The highest number seen. */
  last: number;
  duplicates: number;
  outOfOrder: number;
}

/** The verifier's answer to `finish`. */
export interface Verified {
  /** By the name of the producer, whatever names there are. */
  readonly found: Readonly<Record<string, Found>>;
  /** Entries that differ from what their producer wrote under that number. */
  readonly altered: number;
  /** Entries that no producer can have written. */
  readonly foreign: number;
}

/** What the app is asked, and how it answers. Each question gets one answer, in order. */
export type Question = 'sample' | 'measure' | 'finish';

export interface Sample {
  /** Records emitted so far, by producer. */
  readonly emitted: Readonly<Record<string, number>>;
  readonly stats: Readonly<Record<string, LogStats>>;
  readonly rssBytes: number;
  /** Largest so far, looked at five times a second. */
  readonly maxRssBytes: number;
  /** Of the event loop since the last `measure`, in milliseconds. */
  readonly loopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Tries to write a batch by what became of them: `stored`, or the first word of what went wrong. */
  readonly tries: Readonly<Record<string, number>>;
  /** Times that the account did not add up, of all the times it was looked at. */
  readonly wrongAccounts: number;
  readonly looks: number;
  /** What the package said of itself, by the kind of message. */
  readonly lines: Readonly<Record<string, number>>;
  /** Only in the answer to `finish`: what closing each producer resolved with. */
  readonly closed?: Readonly<Record<string, FlushResult>>;
  /** Only in the answer to `finish`: milliseconds that closing took. */
  readonly closedInMs?: number;
}
