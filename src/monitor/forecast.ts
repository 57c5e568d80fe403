/** What a group and its stream are doing, and what the stream keeps. Rates per second, times in milliseconds. */
export interface ForecastInput {
  readonly lag: number;
  readonly pending: number;
  readonly addedPerSecond: number | undefined;
  readonly readPerSecond: number | undefined;
  readonly timeBehindMs: number | undefined;
  /** Entries that the stream keeps; undefined when that is not known. */
  readonly maxLength: number | undefined;
  readonly maxAgeMs: number | undefined;
}

/**
 * When trimming will pass the group, in milliseconds from now, if everything goes on at these rates; undefined when it
 * will not, or when too little is known. By length: the room that is left, at the speed it fills. By age: the time that
 * is left, while a group that reads as fast as entries come gets no older.
 */
export function losingInMs(input: ForecastInput): number | undefined {
  const both = [byLength(input), byAge(input)].filter((ms) => ms !== undefined);
  return both.length === 0 ? undefined : Math.min(...both);
}

function byLength({
  lag,
  pending,
  addedPerSecond,
  readPerSecond,
  maxLength,
}: ForecastInput): number | undefined {
  if (maxLength === undefined || addedPerSecond === undefined || readPerSecond === undefined)
    return undefined;
  const growth = addedPerSecond - readPerSecond;
  if (growth <= 0 || lag === 0) return undefined;
  return (Math.max(0, maxLength - lag - pending) / growth) * 1000;
}

function byAge(input: ForecastInput): number | undefined {
  const { lag, timeBehindMs, maxAgeMs, addedPerSecond, readPerSecond } = input;
  if (maxAgeMs === undefined || timeBehindMs === undefined || readPerSecond === undefined) return undefined;
  if (lag === 0) return undefined;
  // The entries that wait came within `timeBehindMs`, so reading moves the group's clock by their density.
  const readMsPerMs = (readPerSecond * timeBehindMs) / 1000 / lag;
  const ageing = 1 - readMsPerMs;
  if (ageing <= 0 || addedPerSecond === undefined) return undefined;
  return Math.max(0, maxAgeMs - timeBehindMs) / ageing;
}

/** `4 min`, `12 s`, `3 h`: for sentences. */
export function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 1) return 'less than a second';
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
