// What it costs to copy an ASCII string into a buffer, by its length: a loop over its characters, and Node's own.
import { median } from './statistics.mjs';

const SIZES = [4, 8, 16, 32, 48, 64, 96, 128];
const COPIES = 500_000;
const ROUNDS = 7;

export function measureCopying() {
  return SIZES.map((size) => ({ size, loopNs: time(size, loop), nativeNs: time(size, native) }));
}

/** Nanoseconds a copy, over strings that differ. */
function time(size, copy) {
  const buffer = Buffer.allocUnsafe(4_096);
  // From bytes, as most values are: a string put together from parts is read more slowly, character by character.
  const texts = Array.from({ length: 64 }, (_, i) => Buffer.alloc(size, `${i}abcdefgh`).toString('latin1'));
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < COPIES; i++) copy(buffer, texts[i & 63], i & 1_023);
    const { user, system } = process.cpuUsage(before);
    if (round > 0) rounds.push(((user + system) * 1_000) / COPIES);
  }
  return median(rounds);
}

function loop(buffer, text, at) {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 127) return -1;
    buffer[at + i] = code;
  }
  return text.length;
}

function native(buffer, text, at) {
  return buffer.write(text, at);
}
