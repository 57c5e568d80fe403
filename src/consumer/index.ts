export { type LogBatch } from './batch.js';
export { DeadLetterError } from './dead-letter-error.js';
export type { DeadLetterReason } from './dead-letters.js';
export type { LogHandler } from './engine.js';
export type { LogEntry } from './entry.js';
export { type ConsumerSurroundings, LogConsumer } from './log-consumer.js';
export type { LogConsumerOptions, RetryOptions } from './options.js';
export { type DeadLetter, replayDeadLetters, type ReplayOptions, type ReplayResult } from './replay.js';
export type { ConsumerStats } from './stats.js';
