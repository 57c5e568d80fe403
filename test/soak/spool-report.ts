import type { Found, Sample, Verified } from './protocol.js';
import type { Life } from './spooled-app.js';

export interface SpoolResult {
  /** Those that ended by SIGKILL. */
  readonly lives: readonly Life[];
  /** The last one, which ended in good order. */
  readonly name: string;
  readonly final: Sample;
}

export interface SpoolReport {
  readonly kills: number;
  /** In the lives that were killed, at most so many. */
  readonly emitted: number;
  /** Of these, so many had left the memory for certain: for the disk, or for Redis. */
  readonly safe: number;
  readonly stored: number;
  /** Records that a life found in the spool of an earlier one. */
  readonly replayed: number;
  /** Safe, and not stored. */
  readonly lost: number;
  /** Not stored, although later ones of the same life are. */
  readonly gaps: number;
  readonly foreign: number;
  readonly dropped: number;
  /** Queued, spooled or unconfirmed when the last life had closed. */
  readonly left: number;
  readonly wrongAccounts: number;
}

const NOTHING: Found = { stored: 0, last: 0, duplicates: 0, outOfOrder: 0 };

/** Holds what was stored of each life against what that life has noted down. */
export function reportOfSpool({ lives, name, final }: SpoolResult, { found }: Verified): SpoolReport {
  const last = lastLife(name, final);
  const all = [...lives, last].map((life) => ({ life, found: found[life.name] ?? NOTHING }));
  const total = (pick: (each: (typeof all)[number]) => number): number =>
    all.reduce((sum, each) => sum + pick(each), 0);
  const stats = Object.values(final.stats);
  return {
    kills: lives.length,
    emitted: total(({ life }) => life.emitted),
    safe: total(({ life }) => life.safe),
    stored: total(({ found: { stored } }) => stored),
    replayed: total(({ life }) => life.recovered),
    lost: total(({ life, found: { stored } }) => Math.max(0, life.safe - stored)),
    gaps: total(({ found: { stored, last: newest } }) => newest - stored),
    foreign: total(({ life, found: { last: newest } }) => Math.max(0, newest - life.emitted)),
    dropped: stats.reduce((sum, { dropped }) => sum + countOf(dropped), 0),
    left: stats.reduce((sum, { queued, spooled, unconfirmed }) => sum + queued + spooled + unconfirmed, 0),
    wrongAccounts: total(({ life }) => life.wrongAccounts),
  };
}

/** It has closed, so everything that it emitted must be stored. */
function lastLife(name: string, { emitted, stats, wrongAccounts }: Sample): Life {
  const all = emitted[name] ?? 0;
  return { name, emitted: all, safe: all, recovered: stats[name]?.recovered ?? 0, wrongAccounts };
}

function countOf(dropped: Readonly<Record<string, number>>): number {
  return Object.values(dropped).reduce((sum, each) => sum + each, 0);
}
