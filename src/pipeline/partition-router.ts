import { partitionStreams } from '../options/partition-names.js';
import type { Complete, PartitionOptions } from '../options/types.js';
import type { LogRecord } from '../record/log-record.js';
import { codeAt } from '../record/code-at.js';

export interface PartitionRouting extends Complete<PartitionOptions> {
  /** So many records without a key go to one partition before the next one has its turn. */
  readonly runLength: number;
  /** From 0 up to, not including, 1. */
  readonly random: () => number;
}

/** Finds the partition of a record within its stream. Never throws. */
export function partitionRouter(
  streamOf: (record: LogRecord) => string,
  routing: PartitionRouting,
  badKey: (reason: string) => void,
): (record: LogRecord) => string {
  const { count, by, runLength, random } = routing;
  if (count === 1) return streamOf;
  const names = new Map<string, readonly string[]>();
  // Processes that start together do not all begin with the same one.
  let turn = Math.floor(random() * count);
  let left = runLength;
  const nextInTurn = (): number => {
    if (left-- > 0) return turn;
    left = runLength - 1;
    turn = (turn + 1) % count;
    return turn;
  };
  const keyOf = by === 'trace' ? traceOf : guarded(by, badKey);
  return (record) => {
    const stream = streamOf(record);
    let partitions = names.get(stream);
    if (partitions === undefined) {
      partitions = partitionStreams(stream, count);
      names.set(stream, partitions);
    }
    const key = keyOf(record);
    return partitions[key === '' ? nextInTurn() : hash(key) % count] ?? stream;
  };
}

function traceOf({ spanContext }: LogRecord): string {
  return spanContext?.traceId ?? '';
}

/** A record whose key cannot be had is one without a key. */
function guarded(
  by: (record: LogRecord) => string,
  badKey: (reason: string) => void,
): (record: LogRecord) => string {
  return (record) => {
    let key: unknown;
    try {
      key = by(record);
    } catch (error) {
      badKey(error instanceof Error ? `it threw ${error.name}` : 'it threw');
      return '';
    }
    if (typeof key === 'string') return key;
    badKey(`it returned ${key === null ? 'null' : typeof key}`);
    return '';
  };
}

/** FNV-1a, the same in every process: a trace that runs through many of them stays together. */
function hash(key: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) {
    value = Math.imul(value ^ codeAt(key, index), 0x01000193);
  }
  return value >>> 0;
}
