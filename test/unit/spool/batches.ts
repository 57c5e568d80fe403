import type { SpoolBatch } from '../../../src/pipeline/spool/spool.js';

/** Numbers that look random and are not: the same seed gives the same ones. */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A batch that is known by its first number, and whose content follows from it. */
export function makeBatch(first: number, payloadBytes = 300): SpoolBatch {
  const next = numbersFrom(first);
  const payload = Buffer.alloc(payloadBytes);
  for (let at = 0; at < payloadBytes; at++) payload[at] = next() * 256;
  return {
    stream: first % 3 === 0 ? 'logs:orders' : 'logs:zahlungen-ü',
    producer: `p${first % 2}`,
    first,
    count: 1 + (first % 5),
    holes: first % 7,
    shed: first % 11,
    definitions: JSON.stringify([['body', `field ${first}`]]),
    payload,
  };
}
