/** Ids before this are not clocks of anybody's: somebody gave them by hand. 2001-09-09. */
const FIRST_CLOCK_MS = 1_000_000_000_000;

/** The milliseconds of an entry id. */
export function idMs(id: string): number {
  return Number.parseInt(id, 10);
}

/** How long ago an entry was added, in milliseconds; undefined where its id is not a clock. */
export function idAgeMs(id: string, nowMs: number): number | undefined {
  const ms = idMs(id);
  return ms >= FIRST_CLOCK_MS ? Math.max(0, nowMs - ms) : undefined;
}
