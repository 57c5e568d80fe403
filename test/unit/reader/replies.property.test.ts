import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ReplyError, ReplyReader } from '../../../src/redis/range-replies.js';

type Reply = string | number | null | ReplyError | readonly Reply[];

const line = fc.string({ maxLength: 10 }).map((text) => text.replace(/[\r\n]/g, ' '));
const bulk = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('', '\r\n', '$5\r\nhello', 'a\nb', 'ü😀', 'x'.repeat(5_000)),
);
const entries = fc.array(
  fc.tuple(
    fc.constantFrom('1-1', '2-0'),
    fc.array(fc.constantFrom('timestamp', 'body', 'größe', 'a', ''), { maxLength: 8 }),
  ),
);
const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    bulk,
    fc.constant(null),
    fc.maxSafeInteger(),
    line.map((text) => new ReplyError(text)),
    entries,
    fc.array(tie('reply'), { maxLength: 6 }),
  ),
}));

function written(value: Reply): string {
  if (value === null) return '$-1\r\n';
  if (typeof value === 'number') return `:${value}\r\n`;
  if (value instanceof ReplyError) return `-${value.message}\r\n`;
  if (typeof value === 'string') return `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
  return `*${value.length}\r\n${value.map(written).join('')}`;
}

it('Replies are read as they were written, however the network cuts them', () => {
  fc.assert(
    fc.property(
      fc.array(reply, { maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 40 })),
      (replies, cuts) => {
        const bytes = Buffer.from(replies.map(written).join(''));
        const read: unknown[] = [];
        const reader = new ReplyReader((each) => read.push(each));
        let at = 0;
        for (const cut of cuts) reader.push(bytes.subarray(at, (at += cut)));
        reader.push(bytes.subarray(at));
        expect(read).toEqual(replies);
      },
    ),
    { numRuns: 1_000 },
  );
}, 60_000);

it('A large text that comes in small pieces is put together once', () => {
  const text = 'x'.repeat(20_000_000);
  const bytes = Buffer.from(written([text]));
  const read: unknown[] = [];
  const reader = new ReplyReader((each) => read.push(each));
  const before = process.cpuUsage();
  for (let at = 0; at < bytes.length; at += 4_096) reader.push(bytes.subarray(at, at + 4_096));
  expect(read).toEqual([[text]]);
  expect(process.cpuUsage(before).user / 1_000).toBeLessThan(3_000);
});

it('What is no RESP2 is refused', () => {
  const reader = new ReplyReader(() => undefined);
  expect(() => reader.push(Buffer.from('HTTP/1.1 400\r\n'))).toThrow(TypeError);
});
