/** Before every entry of a stream. */
export const FIRST_ID = '0-0';

const MAX_SEQUENCE = 18_446_744_073_709_551_615n;

function partsOf(id: string): [ms: bigint, sequence: bigint] {
  const [ms = '0', sequence = '0'] = id.split('-');
  return [BigInt(ms), BigInt(sequence)];
}

/** Negative where `a` comes before `b`. Made for sorting: numbers without leading zeros compare by length, then text. */
export function compareIds(a: string, b: string): number {
  // As many digits on either side of the dash, as nearly always: then the order of texts is that of numbers.
  if (a.length === b.length && a.indexOf('-') === b.indexOf('-')) return a === b ? 0 : a < b ? -1 : 1;
  if (a === b) return 0;
  const aDash = dashOf(a);
  const bDash = dashOf(b);
  if (aDash !== bDash) return aDash - bDash;
  const aMs = a.slice(0, aDash);
  const bMs = b.slice(0, bDash);
  if (aMs !== bMs) return aMs < bMs ? -1 : 1;
  const aSequence = a.slice(aDash + 1) || '0';
  const bSequence = b.slice(bDash + 1) || '0';
  if (aSequence.length !== bSequence.length) return aSequence.length - bSequence.length;
  if (aSequence === bSequence) return 0;
  return aSequence < bSequence ? -1 : 1;
}

function dashOf(id: string): number {
  const dash = id.indexOf('-');
  return dash < 0 ? id.length : dash;
}

/** The highest id below this one. */
export function idBefore(id: string): string {
  const [ms, sequence] = partsOf(id);
  if (sequence > 0n) return `${ms}-${sequence - 1n}`;
  return ms === 0n ? FIRST_ID : `${ms - 1n}-${MAX_SEQUENCE}`;
}

/** Whether a text is an id that a group can start after: `<ms>` or `<ms>-<sequence>`. */
export function isEntryId(text: string): boolean {
  return /^\d{1,20}(-\d{1,20})?$/.test(text);
}
