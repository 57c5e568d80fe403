import { inWords } from './forecast.js';
import type { EntryCount, GroupSample } from './types.js';

/** What a status means for this group, and what to do about it. */
export function adviceFor(sample: Omit<GroupSample, 'advice'>): string {
  const { status, losingInMs } = sample;
  if (losingInMs === undefined) return ADVICE[status](sample);
  const advice = status === 'OK' ? LOSING_SOON : ADVICE[status](sample);
  return `Losing records in ${inWords(losingInMs)}. ${advice}`;
}

const LOSING_SOON = 'Add consumers, or raise retention.maxLength of the producers.';

type Advice = (sample: Omit<GroupSample, 'advice'>) => string;

const ADVICE: Readonly<Record<GroupSample['status'], Advice>> = {
  OK: () => 'Nothing to do.',
  BEHIND: (s) =>
    `It reads ${perSecond(s.readPerSecond)} and falls further behind (${behind(s)}). Add consumers, or make handling faster.`,
  STALLED: (s) =>
    `${inFull(s.lag)} wait and none was read (${behind(s)}). See what its consumers do (${s.consumers.length}): a handler that hangs, or a paused process.`,
  STUCK: (s) =>
    `${s.pending} entries are delivered and not acknowledged, the oldest for ${age(s.oldestPending?.pendingForMs)} by ${s.oldestPending?.consumer ?? 'nobody'}. Look at its errors; cleanUp() hands on what dead consumers hold.`,
  'NO CONSUMER': (s) =>
    `${inFull(s.lag)} wait and nobody reads. Start a consumer, or delete the group with XGROUP DESTROY if it is no longer needed.`,
  LOSING: (s) =>
    `${inFull(s.lost)} were trimmed before they were read. Add consumers now, or raise retention.maxLength of the producers.`,
  UNKNOWN: (s) => `The lag cannot be told: ${s.lag.kind === 'unknown' ? s.lag.reason : 'no sample yet'}.`,
};

function inFull(count: EntryCount): string {
  if (count.kind === 'unknown') return 'An unknown number of entries';
  return count.kind === 'exact' ? `${count.entries} entries` : `At least ${count.entries} entries`;
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
