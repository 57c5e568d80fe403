/** Nest's levels from the least severe to the most, and the OpenTelemetry severity number of each. */
export const SEVERITY_NUMBERS = {
  verbose: 1,
  debug: 5,
  log: 9,
  warn: 13,
  error: 17,
  fatal: 21,
} as const;

/** A level of Nest's `LoggerService`. It is also the `severity_text` of the records logged at it. */
export type Level = keyof typeof SEVERITY_NUMBERS;

export const LEVELS = Object.keys(SEVERITY_NUMBERS) as readonly Level[];

/** How many classes of severity OpenTelemetry knows: TRACE, DEBUG, INFO, WARN, ERROR, FATAL. */
export const SEVERITY_CLASSES = 6;

/** 0 (TRACE) to 5 (FATAL); a record without a severity counts as INFO, as the data model suggests to readers. */
export function severityClass(severityNumber: number | undefined): number {
  if (severityNumber === undefined || severityNumber < 1) return 2;
  return severityNumber > 20 ? 5 : ((severityNumber - 1) / 4) | 0;
}
