import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FileWindow } from '../../../src/pipeline/spool/file-window.js';
import { encodeFrame, frameMarker, segmentHeader } from '../../../src/pipeline/spool/frame.js';
import { NumberSet } from '../../../src/pipeline/spool/number-set.js';
import { scanSegment } from '../../../src/pipeline/spool/scan-segment.js';
import type { SpoolFile } from '../../../src/pipeline/spool/spool-files.js';
import { makeBatch } from './batches.js';

const MARKER = frameMarker('0123456789abcdef');

/** A file to read that never gives more than some bytes at once. */
function fileOf(content: Buffer, most: number): SpoolFile {
  const no = (): never => {
    throw new Error('only to read');
  };
  return {
    read: async (into, position) => content.copy(into, 0, position, position + Math.min(into.length, most)),
    write: no,
    writeSync: no,
    sync: no,
    syncSync: no,
    truncate: no,
    close: no,
  };
}

function frameOf(number: number, size: number): Buffer {
  return Buffer.concat(encodeFrame(number, makeBatch(number, size), MARKER)?.buffers ?? []);
}

const size = fc.oneof(fc.nat(2_000), fc.constant(0), fc.integer({ min: 250_000, max: 300_000 }));
/** Between two frames: nothing, or bytes that are no frame. */
const rubbish = fc.oneof(
  { weight: 3, arbitrary: fc.constant(Buffer.alloc(0)) },
  fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc.nat(400_000).map((zeros) => Buffer.alloc(zeros)),
  fc.nat(100).map((cut) => frameOf(999, 200).subarray(0, 100 + cut)),
  fc.constant(Buffer.concat([MARKER, MARKER, MARKER.subarray(0, 7)])),
);

describe('a segment', () => {
  it('gives every whole frame, whatever lies between them and however the disk reads', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(size, rubbish), { maxLength: 6 }),
        fc.integer({ min: 1_000, max: 300_000 }),
        async (parts, most) => {
          const pieces = [segmentHeader(1)];
          const expected: object[] = [];
          let offset = pieces[0]?.length ?? 0;
          let waste = 0;
          for (const [index, [bytes, between]] of parts.entries()) {
            const frame = frameOf(index + 1, bytes);
            pieces.push(between, frame);
            offset += between.length;
            waste += between.length;
            expected.push({ number: index + 1, offset, bytes: frame.length });
            offset += frame.length;
          }
          const content = Buffer.concat(pieces);
          const { frames, damage } = await scanSegment(
            new FileWindow(fileOf(content, most), content.length),
            MARKER,
          );
          expect(frames).toMatchObject(expected);
          expect(frames.length).toBe(expected.length);
          expect(damage.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(waste);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives no frame that was written to another directory', async () => {
    const content = Buffer.concat([segmentHeader(1), frameOf(1, 100)]);
    const window = new FileWindow(fileOf(content, 1_000), content.length);
    const { frames, damage } = await scanSegment(window, frameMarker('fedcba9876543210'));
    expect(frames).toStrictEqual([]);
    expect(damage).toMatchObject([{ isEmpty: false }]);
  });
});

describe('the numbers of released frames', () => {
  it('are kept exactly, in whatever order they come, as few ranges', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60)), (numbers) => {
        const set = new NumberSet();
        for (const number of numbers) set.add(number);
        const expected = new Set(numbers);
        for (let number = -1; number <= 61; number++) expect(set.has(number)).toBe(expected.has(number));
        let previous = -2;
        for (let index = 0; index < set.ranges; index++) {
          const [from, to] = set.range(index);
          expect(from).toBeGreaterThan(previous + 1);
          expect(to).toBeGreaterThanOrEqual(from);
          previous = to;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
