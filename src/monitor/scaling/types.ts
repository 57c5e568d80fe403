import type { GroupSample, StreamSample } from '../types.js';

export type ScaleDecision = 'OUT' | 'IN' | 'STAY';

/** What a strategy looks at. */
export interface ScaleInput {
  readonly stream: StreamSample;
  readonly group: GroupSample;
  /** Consumers that are alive. */
  readonly consumers: number;
  /** Pending entries that none of them holds: those of dead consumers. */
  readonly abandoned: number;
  /** What one consumer reads at most, in entries per second, as told or as measured; undefined: none was ever that busy. */
  readonly perConsumerRate: number | undefined;
  /** The most that one consumer was seen to read, in entries per second, busy or not: maybe it can do more. */
  readonly seenPerConsumer: number | undefined;
}

/** How many consumers a strategy would have, before limits and patience. */
export interface ScaleWish {
  readonly consumers: number;
  /** In words, as the beginning of a sentence without its full stop. */
  readonly reason: string;
}

/** Undefined: too little is known to say anything. */
export type ScaleStrategy = (input: ScaleInput) => ScaleWish | undefined;

export interface ScaleAdvice {
  readonly stream: string;
  readonly group: string;
  readonly decision: ScaleDecision;
  /** Live consumers now. */
  readonly consumers: number;
  /** Consumers there should be. */
  readonly desired: number;
  readonly reason: string;
  readonly lag: number | null;
  readonly pending: number;
  readonly addedPerSecond: number | null;
  readonly readPerSecond: number | null;
  /** When the backlog will be gone at the present rates; null: never, or unknown. */
  readonly drainSeconds: number | null;
}
