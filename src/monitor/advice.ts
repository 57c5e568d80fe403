import { countOf, inWords } from './words.js';
import type { EntryCount, GroupSample } from './types.js';

/** What a status means for this group, and what to do about it. */
export function adviceFor(sample: Omit<GroupSample, 'advice'>): string {
  const { status, losingInMs } = sample;
  if (losingInMs === undefined) return ADVICE[status](sample);
  // Later than what would make it BEHIND.
  if (status === 'OK') return `Losing records in ${inWords(losingInMs)}, if it goes on like this. ${IN_TIME}`;
  return `Losing records in ${inWords(losingInMs)}. ${ADVICE[status](sample)}`;
}

const IN_TIME = 'Add consumers in time, or raise retention.maxLength of the producers.';

type Advice = (sample: Omit<GroupSample, 'advice'>) => string;

const ADVICE: Readonly<Record<GroupSample['status'], Advice>> = {
  OK: () => 'Nothing to do.',
  BEHIND: (s) =>
    `It reads ${perSecond(s.readPerSecond)} and falls further behind (${behind(s)}). Add consumers, or make handling faster.`,
  STALLED: (s) =>
    `${inFull(s.lag)} ${waits(s.lag)} and none was read (${behind(s)}). See what its consumers do (${s.consumers.length}): a handler that hangs, or a paused process.`,
  STUCK: (s) =>
    `${countOf(s.pending, 'entry is', 'entries are')} delivered and not acknowledged, the oldest for ${age(s.oldestPending?.pendingForMs)} by ${s.oldestPending?.consumer ?? 'nobody'}. Look at its errors; cleanUp() hands on what dead consumers hold.`,
  'NO CONSUMER': (s) =>
    `${inFull(s.lag)} ${waits(s.lag)} and nobody reads. Start a consumer, or delete the group with XGROUP DESTROY if it is no longer needed.`,
  LOSING: (s) =>
    `${inFull(s.lost)} ${isOne(s.lost) ? 'was trimmed before it was' : 'were trimmed before they were'} read. Add consumers now, or raise retention.maxLength of the producers.`,
  UNKNOWN: (s) => `The lag cannot be told: ${s.lag.kind === 'unknown' ? s.lag.reason : 'no sample yet'}.`,
};

function inFull(count: EntryCount): string {
  if (count.kind === 'unknown') return 'An unknown number of entries';
  const entries = countOf(count.entries, 'entry', 'entries');
  return count.kind === 'exact' ? entries : `At least ${entries}`;
}

function waits(count: EntryCount): string {
  return isOne(count) ? 'waits' : 'wait';
}

function isOne(count: EntryCount): boolean {
  return count.kind !== 'unknown' && count.entries === 1;
}

function behind({ timeBehindMs }: { readonly timeBehindMs: number | undefined }): string {
  return timeBehindMs === undefined ? 'unknown time behind' : `${inWords(timeBehindMs)} behind`;
}

function age(ms: number | undefined): string {
  return ms === undefined ? 'an unknown time' : inWords(ms);
}

function perSecond(rate: number | undefined): string {
  return rate === undefined ? 'at an unknown rate' : `${Math.round(rate)}/s`;
}
