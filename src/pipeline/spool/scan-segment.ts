import { crc32 } from 'node:zlib';
import type { FileWindow } from './file-window.js';
import {
  decodeFrameHeader,
  decodeMeta,
  FRAME_HEADER_BYTES,
  type FrameHeader,
  type FrameMeta,
  frameBytes,
  MARKER_BYTES,
  SEGMENT_HEADER_BYTES,
  segmentVersion,
} from './frame.js';

export interface FoundFrame {
  readonly number: number;
  readonly offset: number;
  readonly bytes: number;
  readonly meta: FrameMeta;
}

export interface DamagedRange {
  readonly offset: number;
  readonly bytes: number;
  /** Nothing but zeros: space that was given to the file, but never written. */
  readonly isEmpty: boolean;
}

export interface SegmentContents {
  readonly frames: readonly FoundFrame[];
  readonly damage: readonly DamagedRange[];
}

/**
 * Finds every whole frame of a segment, before and after whatever is damaged. It goes through the file once, and a
 * second time through the body of each damaged frame; it keeps places, not payloads.
 */
export async function scanSegment(window: FileWindow, marker: Buffer): Promise<SegmentContents> {
  const frames: FoundFrame[] = [];
  const damage: DamagedRange[] = [];
  const hasHeader = segmentVersion(await window.at(0, SEGMENT_HEADER_BYTES)) !== undefined;
  /** Everything before is accounted for. */
  let done = hasHeader ? SEGMENT_HEADER_BYTES : 0;
  let offset = done;
  while (offset < window.size) {
    const frame = await frameAt(window, offset, marker);
    if (frame === undefined) {
      offset = await nextMarker(window, offset + 1, marker);
      continue;
    }
    if (offset > done) damage.push(await damagedRange(window, done, offset));
    frames.push(frame);
    offset += frame.bytes;
    done = offset;
  }
  if (window.size > done) damage.push(await damagedRange(window, done, window.size));
  return { frames, damage };
}

async function frameAt(window: FileWindow, offset: number, marker: Buffer): Promise<FoundFrame | undefined> {
  const header = decodeFrameHeader(await window.at(offset, FRAME_HEADER_BYTES), marker);
  if (header === undefined || offset + frameBytes(header) > window.size) return undefined;
  const text = await window.at(offset + FRAME_HEADER_BYTES, header.metaBytes);
  const meta = decodeMeta(text.toString('utf8'));
  if (meta === undefined || !(await isBodyWhole(window, offset, header))) return undefined;
  return { number: header.number, offset, bytes: frameBytes(header), meta };
}

async function isBodyWhole(window: FileWindow, offset: number, header: FrameHeader): Promise<boolean> {
  const end = offset + frameBytes(header);
  let crc = 0;
  for (let at = offset + FRAME_HEADER_BYTES; at < end;) {
    const some = (await window.some(at)).subarray(0, end - at);
    if (some.length === 0) return false;
    crc = crc32(some, crc);
    at += some.length;
  }
  return crc === header.bodyCrc;
}

/** Where the next marker begins, at `from` or later; the file's end when there is none. */
async function nextMarker(window: FileWindow, from: number, marker: Buffer): Promise<number> {
  for (let at = from; ;) {
    const some = await window.at(at, Infinity);
    if (some.length < MARKER_BYTES) return window.size;
    const found = some.indexOf(marker);
    if (found >= 0) return at + found;
    // A marker may begin in the last bytes of what was looked through.
    at += some.length - (MARKER_BYTES - 1);
  }
}

async function damagedRange(window: FileWindow, from: number, to: number): Promise<DamagedRange> {
  let isEmpty = true;
  for (let at = from; at < to && isEmpty;) {
    const some = (await window.some(at)).subarray(0, to - at);
    if (some.length === 0) break;
    isEmpty = some.every((byte) => byte === 0);
    at += some.length;
  }
  return { offset: from, bytes: to - from, isEmpty };
}
