import { isEntryId } from '../redis/entry-id.js';

/**
 * A moment: a Date, milliseconds since 1970, a text of ISO 8601 (`2026-11-21T10:00:00Z`), how long ago (`15m`, `-2h`;
 * units `ms`, `s`, `m`, `h`, `d`, `w`), `now`, or the id of an entry.
 */
export type Moment = Date | number | string;

/** Ids as XRANGE takes them, and the moment in milliseconds. */
export interface Bound {
  readonly id: string;
  readonly ms: number;
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const AGO = /^-?(\d+(?:\.\d+)?)(ms|[smhdw])$/;
const ISO = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d|$)/;

/** Undefined for what is no moment. `now` is Unix time in milliseconds. */
export function toBound(moment: Moment, now: number): Bound | undefined {
  if (typeof moment !== 'string') return fromMs(Number(moment));
  const text = moment.trim();
  if (text === 'now') return fromMs(now);
  const [, amount, unit] = AGO.exec(text) ?? [];
  if (amount !== undefined) return fromMs(now - Number(amount) * (UNITS[unit ?? ''] ?? Number.NaN));
  if (ISO.test(text)) return fromMs(Date.parse(text));
  return isEntryId(text) ? { id: text, ms: Number.parseInt(text, 10) } : undefined;
}

function fromMs(ms: number): Bound | undefined {
  if (!Number.isFinite(ms)) return undefined;
  const whole = Math.max(0, Math.floor(ms));
  return { id: String(whole), ms: whole };
}
