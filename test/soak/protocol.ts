import type { FlushResult, LogStats } from '../../src/core.js';

/** What the app under test is started with. */
export interface AppSettings {
  readonly url: string;
  readonly stream: string;
  /** Names of its producers: each is a writer with a connection and an account of its own. */
  readonly names: readonly string[];
  /** Records per second, over all producers. */
  readonly rate: number;
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
  /** Only in the answer to `finish`. */
  readonly closed?: Readonly<Record<string, FlushResult>>;
}
