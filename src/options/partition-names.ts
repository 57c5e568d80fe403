import { SLOTS, slotOf } from './key-slot.js';

/** Every stream costs memory, here and in Redis. */
export const MAX_PARTITIONS = 64;

/** A stream's slot may lie so far behind the place that is meant for it: enough for a short tag to be found. */
const NEAR = 64;
/** Streams begin at one of so many places, so that not all first partitions are on one node. */
const STARTS = 48;

const PARTITION = /:\{\d+-\d+\}$/;

/**
 * The streams that a stream with so many partitions consists of: `logs:shop:{0-93}`, `logs:shop:{1-17}` and so on; with one
 * partition, the stream itself. The number after the dash makes the hash tag fall where Cluster slots are far apart: of
 * 3, 6, 12, 24 or 48 partitions each node of a Cluster with as many masters, or a divisor of it, has the same number. A
 * name does not depend on `count`, so more partitions can be added to those there are.
 *
 * @example
 * partitionStreams('logs:shop', 6); // for a consumer of another kind, XTRIM, ACL rules and the like
 */
export function partitionStreams(stream: string, count: number): string[] {
  if (count === 1) return [stream];
  const start = ((slotOf(stream) % STARTS) + 0.5) / STARTS;
  return Array.from({ length: count }, (_, index) => {
    const place = Math.floor(((start + share(index)) % 1) * SLOTS);
    return `${stream}:{${tagNear(index, place)}}`;
  });
}

/** The streams to be read for these names: each with its partitions. A name that is a partition's stands for itself. */
export function withPartitions(streams: readonly string[], count: number): string[] {
  return streams.flatMap((stream) => (PARTITION.test(stream) ? [stream] : partitionStreams(stream, count)));
}

/** 0, 1/3 and 2/3, then what lies between: 1/6, 1/2, 5/6, and so on by halves. The first 3, 6, 12 ... are evenly apart. */
function share(index: number): number {
  let sum = (index % 3) / 3;
  let step = 1 / 6;
  for (let rest = Math.floor(index / 3); rest > 0; rest >>= 1) {
    sum += (rest & 1) * step;
    step /= 2;
  }
  return sum;
}

function tagNear(index: number, place: number): string {
  for (let suffix = 0; ; suffix++) {
    const tag = `${index}-${suffix}`;
    if ((slotOf(tag) - place + SLOTS) % SLOTS < NEAR) return tag;
  }
}
