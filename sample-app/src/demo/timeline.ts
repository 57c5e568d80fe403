import { RECORDS_PER_SECOND } from './traffic.js';

/** How long what takes, in milliseconds. */
export interface Timeline {
  /** Before anything else happens there is time to look at the records. */
  readonly openingMs: number;
  /** From then on: until the ETL worker is killed, and how long it is gone. */
  readonly workerLivesMs: number;
  readonly workerIsGoneMs: number;
  /** From the opening on: until the screen hangs, and how long it does, unless records are lost before. */
  readonly screenWorksMs: number;
  readonly screenHangsMs: number;
  /** Before records are printed again. */
  readonly readingMs: number;
  /** Between two looks of the monitor. */
  readonly sampleEveryMs: number;
  /** Entries that the stream of the screen keeps: so few that they are trimmed unread soon after it hangs. */
  readonly screenKeeps: number;
}

/** However long the demo runs, nobody wants to wait longer for the end of the story. */
const LONGEST_STORY_MS = 45_000;

/** The whole story in the time there is. */
export function timelineFor(seconds: number): Timeline {
  const spanMs = Math.min(seconds * 1_000, LONGEST_STORY_MS);
  const keptMs = Math.max(2_000, 0.18 * spanMs);
  return {
    openingMs: 0.15 * spanMs,
    workerLivesMs: 0.1 * spanMs,
    workerIsGoneMs: 0.1 * spanMs,
    screenWorksMs: 0.25 * spanMs,
    screenHangsMs: 0.4 * spanMs,
    readingMs: 0.1 * spanMs,
    sampleEveryMs: Math.round(Math.min(1_000, Math.max(250, spanMs / 50))),
    screenKeeps: Math.round((RECORDS_PER_SECOND * keptMs) / 1_000),
  };
}
