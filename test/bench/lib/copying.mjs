// What it costs to copy a few bytes, by their number: an ASCII string into a buffer, by a loop over its characters and
// by Node's own function; and bytes from one buffer to another, eight at a time and by Node's own function.
import { median } from './statistics.mjs';

const { charCodeAt } = String.prototype;

const SIZES = [4, 8, 12, 16, 32, 48, 64, 96, 128];
const COPIES = 500_000;
const ROUNDS = 7;

export function measureCopying() {
  return SIZES.map((size) => ({
    size,
    loopNs: time(size, loop),
    writeNs: time(size, write),
    wordsNs: time(size, words),
    copyNs: time(size, copy),
  }));
}

/** Nanoseconds a copy, over strings that differ. */
function time(size, copying) {
  const target = partOf(Buffer.allocUnsafe(4_096));
  // From bytes, as most values are: a string put together from parts is read more slowly, character by character.
  const sources = Array.from({ length: 64 }, (_, i) => partOf(Buffer.alloc(size, `${i}abcdefgh`)));
  const rounds = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < COPIES; i++) copying(target, sources[i & 63], i & 1_023);
    const { user, system } = process.cpuUsage(before);
    if (round > 0) rounds.push(((user + system) * 1_000) / COPIES);
  }
  return median(rounds);
}

function partOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return { bytes, view, text: bytes.toString('latin1') };
}

function loop({ bytes }, { text }, at) {
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt.call(text, i);
    if (code > 127) return -1;
    bytes[at + i] = code;
  }
  return text.length;
}

function write({ bytes }, { text }, at) {
  return bytes.write(text, at);
}

function words(target, source, start) {
  const to = target.view;
  const from = source.view;
  let at = start;
  let next = 0;
  for (; next + 8 <= from.byteLength; next += 8, at += 8) {
    to.setBigUint64(at, from.getBigUint64(next, true), true);
  }
  for (; next < from.byteLength; next++, at++) to.setUint8(at, from.getUint8(next));
  return at;
}

function copy(target, source, at) {
  return source.bytes.copy(target.bytes, at);
}
