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

/**
 * What is kept, for a forecast; undefined while less than a tenth of it waits. So much is always on its way, and its
 * ups and downs are no trend.
 */
export function limitToForecast(waiting: number | undefined, kept: number | undefined): number | undefined {
  return waiting === undefined || kept === undefined || waiting * 10 < kept ? undefined : kept;
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

/** A loss that is forecast for later than this is no trouble yet: the rates that it is told from will change. */
const HORIZON_MS = 600_000;

/** Whether a loss is forecast for the next ten minutes. */
export function isLossNear(losingMs: number | undefined): boolean {
  return losingMs !== undefined && losingMs <= HORIZON_MS;
}
