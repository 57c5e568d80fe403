import type { Level } from '../record/severity.js';

/**
 * Which share of the records is kept; what is left out is counted as `sampled`. Shares are numbers from 0 to 1. ERROR and
 * FATAL are always kept. The trace id decides for records in a span, so that every process keeps the same traces.
 */
export interface SamplingOptions {
  /** Of traces: all records of one are kept, whatever their level and context, or none below ERROR. No default. */
  readonly traces?: number;
  /** Of everything that nothing below names. Default 1. */
  readonly ratio?: number;
  /** By level. */
  readonly levels?: Readonly<Partial<Record<Level, number>>>;
  /** By context, as in the option `levels`; wins over the level. */
  readonly contexts?: Readonly<Record<string, number>>;
}

/**
 * So many records of one context, level and message template in a window of time; one record then tells how many more
 * there were. What is left out is counted as `rate_limited`. FATAL is never limited.
 */
export interface RateLimitOptions {
  /** Records kept in each window, 1 to 1,000,000. */
  readonly maxRecords: number;
  /** The window, in milliseconds, 10 to 86,400,000. Default 60,000. */
  readonly windowMs?: number;
  /** Templates remembered, 1 to 100,000. Default 1,000: those that were seen last. */
  readonly maxTemplates?: number;
}

/**
 * Records of one context that follow each other and say the same are kept once in a window of time; one record then tells
 * how many more there were. What is left out is counted as `duplicate`. FATAL is never left out.
 */
export interface DeduplicateOptions {
  /** The window, in milliseconds, 10 to 86,400,000. Default 10,000. */
  readonly windowMs?: number;
}

export interface ResolvedNoise {
  readonly sampling:
    (Required<Omit<SamplingOptions, 'traces'>> & { readonly traces: number | undefined }) | false;
  readonly rateLimit: Required<RateLimitOptions> | false;
  readonly deduplicate: Required<DeduplicateOptions> | false;
}
