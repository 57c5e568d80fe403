import { crc32 } from 'node:zlib';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES } from '../../../src/pipeline/spool/frame.js';
import type { SpoolFiles } from '../../../src/pipeline/spool/spool-files.js';
import type {
  AdoptedSpool,
  Spool,
  SpoolBatch,
  SpoolEntry,
  SpoolOptions,
} from '../../../src/pipeline/spool/spool.js';
import { makeBatch } from './batches.js';
import { FakeProcess, Machine, ROOT, settled } from './fake-process.js';
import { MemoryDisk } from './memory-disk.js';

let disk: MemoryDisk;
let machine: Machine;

beforeEach(() => {
  disk = new MemoryDisk();
  machine = new Machine();
});

function newProcess(options?: Partial<SpoolOptions>): FakeProcess {
  return new FakeProcess(disk, machine, options);
}

async function mustAppend(spool: Spool, ...firsts: readonly number[]): Promise<SpoolEntry[]> {
  const entries = await Promise.all(firsts.map((first) => spool.append(makeBatch(first))));
  return entries.map((entry, index) => {
    if (entry === undefined) throw new Error(`Batch ${firsts[index]} was refused.`);
    return entry;
  });
}

function segments(): readonly string[] {
  return disk.filePaths().filter((path) => path.endsWith('.seg'));
}

function firstSegment(): string {
  return segments()[0] ?? 'no segment';
}

function allFirsts(adopted: readonly AdoptedSpool[]): readonly number[] {
  return adopted.flatMap(({ entries }) => entries.map(({ first }) => first));
}

async function readAll(adopted: readonly AdoptedSpool[]): Promise<readonly (SpoolBatch | undefined)[]> {
  const batches: (SpoolBatch | undefined)[] = [];
  for (const one of adopted) for (const entry of one.entries) batches.push(await one.read(entry));
  return batches;
}

/** Another process, after the first one is gone without a word. */
async function afterKill(
  dead: FakeProcess,
  options?: Partial<SpoolOptions>,
): Promise<{ next: FakeProcess; spool: Spool }> {
  dead.kill();
  const next = newProcess(options);
  return { next, spool: await next.open() };
}

describe('a spool', () => {
  it('gives back what was appended, byte by byte, in any order and any number of times', async () => {
    const spool = await newProcess().open();
    const entries = await mustAppend(spool, 1, 2, 3);
    const batches = await Promise.all([2, 0, 1, 0].map((index) => spool.read(entries[index] as SpoolEntry)));
    expect(batches).toStrictEqual([3, 1, 2, 1].map((first) => makeBatch(first)));
    expect(entries.map(({ count }) => count)).toStrictEqual([2, 3, 4]);
    expect(spool.entries).toBe(3);
  });

  it('writes the batches of one tick in one write, and answers in the order of the calls', async () => {
    const spool = await newProcess().open();
    const before = disk.done['write'] ?? 0;
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3, 4].map((first) => spool.append(makeBatch(first)).then(() => order.push(first))),
    );
    expect((disk.done['write'] ?? 0) - before).toBe(1);
    expect(order).toStrictEqual([1, 2, 3, 4]);
  });

  it('syncs soon after a write and once for many writes, but not what is released by then', async () => {
    const process = newProcess({ syncMs: 50 });
    const spool = await process.open();
    const before = disk.done['syncFile'] ?? 0;
    await mustAppend(spool, 1);
    const [entry] = await mustAppend(spool, 2);
    await process.runtime.advance(51);
    expect((disk.done['syncFile'] ?? 0) - before).toBe(1);

    await process.runtime.advance(1_000);
    expect((disk.done['syncFile'] ?? 0) - before).toBe(1);

    const released = newProcess({ syncMs: 50 });
    const other = await released.open();
    const start = disk.done['syncFile'] ?? 0;
    for (const gone of await mustAppend(other, 3)) other.release(gone);
    await released.runtime.advance(51);
    expect((disk.done['syncFile'] ?? 0) - start).toBe(0);
    expect(entry?.bytes).toBeGreaterThan(300);
  });

  it('writes at the end of a process what waits, before what is given, and syncs it', async () => {
    const process = newProcess();
    const spool = await process.open();
    const waiting = [spool.append(makeBatch(1)), spool.append(makeBatch(2))];
    expect(spool.appendSync(makeBatch(3))).toMatchObject({ count: 4 });
    expect(await Promise.all(waiting)).toMatchObject([{ count: 2 }, { count: 3 }]);
    disk.crash(() => false);
    const next = await afterKill(process);
    expect(allFirsts(await next.spool.adopt())).toStrictEqual([1, 2, 3]);
  });

  it('writes a batch once that is given at the end and is on its way to the disk already', async () => {
    for (let turns = 0; turns < 5; turns++) {
      disk = new MemoryDisk();
      const process = newProcess();
      const spool = await process.open();
      const waiting = [spool.append(makeBatch(1)), spool.append(makeBatch(2))];
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      const given = spool.appendAllSync([makeBatch(1), makeBatch(2), makeBatch(3)]);
      expect(given.every((entry) => entry !== undefined)).toBe(true);
      expect(await Promise.all(waiting)).toEqual(given.slice(0, 2));
      await settled();
      const next = await afterKill(process);
      expect(allFirsts(await next.spool.adopt())).toStrictEqual([1, 2, 3]);
    }
  });

  it('finds no batch twice when the end of a process came in the middle of a write, and keeps the order', async () => {
    let writtenTwice = 0;
    for (let turns = 0; turns < 12; turns++) {
      disk = new MemoryDisk();
      const process = newProcess();
      const spool = await process.open();
      const waiting = [spool.append(makeBatch(1)), spool.append(makeBatch(2))];
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      spool.appendAllSync([makeBatch(3), makeBatch(4)]);
      disk.dieAfter(0);
      await Promise.all(waiting);
      await settled();
      disk.revive();
      // Where the write under way has reached the disk, a part of its first batch has not.
      if (segments().length > 1 && disk.contentOf(firstSegment()).length > SEGMENT_HEADER_BYTES) {
        writtenTwice++;
        disk.damage(firstSegment(), (content) =>
          content.fill(0, SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + 100),
        );
      }
      const next = await afterKill(process);
      expect(allFirsts(await next.spool.adopt())).toStrictEqual([1, 2, 3, 4]);
    }
    expect(writtenTwice).toBeGreaterThan(0);
  });

  it('removes a segment with its last batch, and its directory at the end when nothing is left', async () => {
    const spool = await newProcess({ segmentBytes: 1_000 }).open();
    const entries = await mustAppend(spool, 1, 2, 3, 4, 5, 6);
    for (const first of [7, 8, 9]) entries.push(...(await mustAppend(spool, first)));
    const before = segments().length;
    expect(before).toBeGreaterThan(2);
    for (const entry of entries) spool.release(entry);
    for (const entry of entries) spool.release(entry);
    await settled();
    expect(segments().length).toBe(1);
    expect(spool.entries).toBe(0);
    await spool.close();
    expect(disk.filePaths()).toStrictEqual([]);
    expect(spool.bytes).toBe(0);
  });

  it('leaves at its end what is not released to the next spool of the same process', async () => {
    const process = newProcess();
    const spool = await process.open();
    const [gone] = await mustAppend(spool, 1, 2, 3);
    if (gone !== undefined) spool.release(gone);
    await spool.close();
    expect(await spool.append(makeBatch(4))).toBeUndefined();
    expect(process.codes).toStrictEqual(['closed']);

    const next = await process.open();
    expect(allFirsts(await next.adopt())).toStrictEqual([2, 3]);
  });

  it('does not send again after a kill what was released more than a second before', async () => {
    const process = newProcess();
    const spool = await process.open();
    const entries = await mustAppend(spool, 1, 2, 3, 4, 5);
    for (const index of [0, 1, 3]) spool.release(entries[index] as SpoolEntry);
    await process.runtime.advance(1_001);
    const next = await afterKill(process);
    expect(allFirsts(await next.spool.adopt())).toStrictEqual([3, 5]);
  });

  it('goes on after its application has made a mistake in listening to problems', async () => {
    const spool = await newProcess({
      problem: () => {
        throw new Error('mistake');
      },
    }).open();
    disk.failing.write = 'EIO';
    expect(await spool.append(makeBatch(1))).toBeUndefined();
  });

  it('refuses a batch whose names have no room in the format', async () => {
    const process = newProcess();
    const spool = await process.open();
    expect(await spool.append({ ...makeBatch(1), stream: 's'.repeat(70_000) })).toBeUndefined();
    expect(process.codes).toStrictEqual(['too_large']);
  });

  it('stops when its directory is gone, and says so', async () => {
    const process = newProcess();
    const spool = await process.open();
    disk.remove(ROOT);
    await process.runtime.advance(10_001);
    expect(await spool.append(makeBatch(1))).toBeUndefined();
    expect(process.codes).toStrictEqual(['owner', 'owner']);
  });
});

describe('a disk in trouble', () => {
  it.each(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'])(
    'never throws: on %s a batch is refused with a word (S1)',
    async (code) => {
      const process = newProcess();
      const spool = await process.open();
      await mustAppend(spool, 1);
      disk.failing.write = code;
      expect(await spool.append(makeBatch(2))).toBeUndefined();
      expect(spool.appendSync(makeBatch(3))).toBeUndefined();
      expect(process.codes).toStrictEqual(['disk', 'disk']);
      expect(process.problems[0]?.text).toContain(code);
    },
  );

  it('is left alone for a second after a failure, and then used again (S1)', async () => {
    const process = newProcess();
    const spool = await process.open();
    disk.failing.create = 'ENOSPC';
    expect(await spool.append(makeBatch(1))).toBeUndefined();
    delete disk.failing.create;
    const before = { ...disk.done };
    await process.runtime.advance(990);
    expect(await spool.append(makeBatch(2))).toBeUndefined();
    expect(disk.done).toStrictEqual(before);
    await process.runtime.advance(11);
    await mustAppend(spool, 3);
    const next = await afterKill(process);
    expect(allFirsts(await next.spool.adopt())).toStrictEqual([3]);
  });

  it('that is full in the middle of a batch keeps no half of it (S1)', async () => {
    const process = newProcess();
    const spool = await process.open();
    const [entry] = await mustAppend(spool, 1);
    disk.capacity = disk.usedBytes + 100;
    expect(await spool.append(makeBatch(2))).toBeUndefined();
    await settled();
    expect(disk.contentOf(firstSegment()).length).toBe(SEGMENT_HEADER_BYTES + (entry?.bytes ?? 0));
    const next = await afterKill(process);
    disk.capacity = Infinity;
    expect(await readAll(await next.spool.adopt())).toStrictEqual([makeBatch(1)]);
    expect(next.next.codes).toStrictEqual([]);
  });

  it('that does not let go of a refused batch does not have it sent twice (S1)', async () => {
    const process = newProcess();
    const spool = await process.open();
    await mustAppend(spool, 1);
    // The whole batch is written, and the next one of the same write is not.
    const size = FRAME_HEADER_BYTES + 400;
    disk.capacity = disk.usedBytes + size;
    disk.failing.truncate = 'EIO';
    expect(await Promise.all([spool.append(makeBatch(2)), spool.append(makeBatch(3))])).toStrictEqual([
      undefined,
      undefined,
    ]);
    disk.capacity = Infinity;
    await process.runtime.advance(1_001);
    const next = await afterKill(process);
    expect(allFirsts(await next.spool.adopt())).toStrictEqual([1]);
  });

  it('whose sync fails gets a new segment, and it is told how many records are in doubt (S2)', async () => {
    const process = newProcess({ syncMs: 50 });
    const spool = await process.open();
    await mustAppend(spool, 1, 2);
    disk.failing.sync = 'EIO';
    await process.runtime.advance(51);
    expect(process.problems).toMatchObject([{ code: 'unsynced', text: expect.stringMatching(/ 5 .*EIO/) }]);
    delete disk.failing.sync;
    const before = firstSegment();
    const size = disk.contentOf(before).length;
    await mustAppend(spool, 3);
    await process.runtime.advance(51);
    expect(disk.contentOf(before).length).toBe(size);
    disk.crash(() => false);
    const next = await afterKill(process);
    expect(allFirsts(await next.spool.adopt())).toStrictEqual([3]);
  });

  it('that cannot remove a segment is asked again at the end (S1)', async () => {
    const process = newProcess();
    const spool = await process.open();
    const entries = await mustAppend(spool, 1);
    disk.failing.remove = 'EIO';
    for (const entry of entries) spool.release(entry);
    await spool.close();
    expect(process.codes).toContain('disk');
    expect(segments().length).toBe(1);
  });

  it('that cannot read a sector of a segment gives all the rest, and what may be read another time is kept', async () => {
    const process = newProcess();
    const spool = await process.open();
    for (let first = 1; first <= 4; first++) await spool.append(makeBatch(first, 20_000));
    const bad = { path: firstSegment().split('/').at(-1) ?? '', from: 30_000, to: 30_512 };
    const { next, spool: other } = await afterKill(process, { files: withBadSector(bad) });
    const [adopted] = await other.adopt();
    expect(allFirsts(adopted === undefined ? [] : [adopted])).toStrictEqual([1, 3, 4]);
    expect(next.codes).toStrictEqual(['damaged', 'unreadable']);
    for (const entry of adopted?.entries ?? []) adopted?.release(entry);
    await adopted?.close();
    const again = await afterKill(next);
    expect(allFirsts(await again.spool.adopt())).toStrictEqual([2]);
  });
});

function withBadSector(bad: { path: string; from: number; to: number }): SpoolFiles {
  const files = disk.files();
  return {
    ...files,
    openToWrite: async (path) => {
      const file = await files.openToWrite(path);
      const isBad = path.endsWith(bad.path);
      return {
        ...file,
        read: async (into, position) => {
          const meets = isBad && position < bad.to && position + into.length > bad.from;
          if (meets) throw Object.assign(new Error('bad sector'), { code: 'EIO' });
          return file.read(into, position);
        },
      };
    },
  };
}

describe('a directory that is shared by processes with different Redis servers', () => {
  it('leaves what a dead one meant for another Redis to those who live there', async () => {
    const dead = newProcess({ target: 'one:6379' });
    await mustAppend(await dead.open(), 1);
    const heir = newProcess({ target: 'one:6379' });
    const heirSpool = await heir.open();
    const other = newProcess({ target: 'other:6379' });
    const otherSpool = await other.open();
    dead.kill();
    expect(allFirsts(await otherSpool.adopt())).toStrictEqual([]);
    expect(other.codes).toStrictEqual([]);
    expect(allFirsts(await heirSpool.adopt())).toStrictEqual([1]);
  });

  it('gives it to the next process where there is nobody else, and says where it goes', async () => {
    const dead = newProcess({ target: 'one:6379' });
    await mustAppend(await dead.open(), 1);
    dead.kill();
    const other = newProcess({ target: 'other:6379' });
    expect(allFirsts(await (await other.open()).adopt())).toStrictEqual([1]);
    expect(other.codes).toStrictEqual(['target']);
    expect(other.problems[0]?.text).toMatch(/one:6379 is sent to other:6379/);
  });
});

describe('damage on disk', () => {
  async function killedAfter(
    ...firsts: readonly number[]
  ): Promise<{ process: FakeProcess; entries: SpoolEntry[] }> {
    const process = newProcess();
    const spool = await process.open();
    return { process, entries: await mustAppend(spool, ...firsts) };
  }

  it.each<[string, (content: Buffer, second: number) => Buffer]>([
    ['bits flipped in a payload', (content, second) => flipped(content, second + 250)],
    ['bits flipped in a length', (content, second) => flipped(content, second + 25)],
    ['bits flipped in a marker', (content, second) => flipped(content, second + 3)],
    [
      'bytes cut out',
      (content, second) => Buffer.concat([content.subarray(0, second + 50), content.subarray(second + 90)]),
    ],
    [
      'bytes put in',
      (content, second) =>
        Buffer.concat([content.subarray(0, second + 50), Buffer.alloc(33, 7), content.subarray(second + 50)]),
    ],
  ])('takes nothing with it but the batch it hits: %s (S3)', async (_, change) => {
    const { process, entries } = await killedAfter(1, 2, 3);
    disk.damage(firstSegment(), (content) =>
      change(content, SEGMENT_HEADER_BYTES + (entries[0]?.bytes ?? 0)),
    );
    const { next, spool } = await afterKill(process);
    expect(await readAll(await spool.adopt())).toStrictEqual([makeBatch(1), makeBatch(3)]);
    expect(next.codes).toStrictEqual(['damaged', 'lost']);
    const kept = disk.filePaths().filter((path) => path.startsWith(`${ROOT}/bad/`));
    expect(kept.length).toBe(1);
    expect(next.problems[0]?.text).toContain(kept[0]?.slice(ROOT.length + 1));
  });

  /** Batches of ten records each, as one producer numbers them. */
  function numbered(at: number): SpoolBatch {
    return { ...makeBatch(1), producer: 'one', stream: 'logs:one', first: at * 10 + 1, count: 10 };
  }

  async function killedAfterNumbered(count: number, release: readonly number[] = []): Promise<FakeProcess> {
    const process = newProcess({ segmentBytes: 4_000 });
    const spool = await process.open();
    const entries: SpoolEntry[] = [];
    for (let at = 0; at < count; at++) entries.push((await spool.append(numbered(at))) as SpoolEntry);
    for (const at of release) spool.release(entries[at] as SpoolEntry);
    await process.runtime.advance(2_000);
    await settled();
    return process;
  }

  /** How many records the next process says are lost. */
  async function lostAfter(process: FakeProcess): Promise<number> {
    const { spool, next } = await afterKill(process);
    const lost = (await spool.adopt()).reduce((sum, each) => sum + each.lost, 0);
    expect(next.codes.includes('lost')).toBe(lost > 0);
    return lost;
  }

  it.each([
    ['in the middle of a segment', 3, 10],
    ['at the head of the first one', 0, 10],
  ])('is counted in records, %s', async (_, batch, lost) => {
    const process = await killedAfterNumbered(30);
    disk.damage(firstSegment(), (content) => flipped(content, SEGMENT_HEADER_BYTES + 400 * batch + 200));
    expect(await lostAfter(process)).toBe(lost);
  });

  it('is counted in records where a whole segment was emptied, and that is told', async () => {
    const process = await killedAfterNumbered(30);
    const whole = disk.contentOf(segments()[1] ?? '').length;
    disk.damage(segments()[1] ?? '', () => Buffer.alloc(0));
    expect(await lostAfter(process)).toBe(Math.round((whole - SEGMENT_HEADER_BYTES) / 386) * 10);
  });

  it('is no loss where it hits what was released, or a segment that was removed', async () => {
    const process = await killedAfterNumbered(30, [3]);
    disk.damage(firstSegment(), (content) => flipped(content, SEGMENT_HEADER_BYTES + 400 * 3 + 200));
    expect(await lostAfter(process)).toBe(0);
    const all = Array.from({ length: 20 }, (_, at) => at);
    expect(await lostAfter(await killedAfterNumbered(30, all))).toBe(0);
  });

  it('at the head of a segment takes no batch with it (S3)', async () => {
    const { process } = await killedAfter(1, 2);
    disk.damage(firstSegment(), (content) => flipped(content, 9));
    const { spool } = await afterKill(process);
    expect(allFirsts(await spool.adopt())).toStrictEqual([1, 2]);
  });

  it.each<[string, (content: Buffer) => Buffer]>([
    ['torn off', (content) => content.subarray(0, content.length - 20)],
    ['filled with zeros', (content) => Buffer.from(content).fill(0, content.length - 200)],
    ['followed by zeros', (content) => Buffer.concat([content, Buffer.alloc(5_000)])],
  ])('at the tail, %s, leaves all before it (S3)', async (_, change) => {
    const { process } = await killedAfter(1, 2, 3);
    disk.damage(firstSegment(), change);
    const { next, spool } = await afterKill(process);
    expect(allFirsts(await spool.adopt()).slice(0, 2)).toStrictEqual([1, 2]);
    expect(next.codes).toStrictEqual(['damaged']);
  });

  it('that shows only when a batch is read is put aside, and the next one is fine (S3)', async () => {
    const process = newProcess();
    const spool = await process.open();
    const entries = await mustAppend(spool, 1, 2);
    disk.damage(firstSegment(), (content) => flipped(content, SEGMENT_HEADER_BYTES + 200));
    expect(await spool.read(entries[0] as SpoolEntry)).toBeUndefined();
    expect(await spool.read(entries[1] as SpoolEntry)).toStrictEqual(makeBatch(2));
    expect(process.codes).toStrictEqual(['damaged']);
  });

  it('is kept within a bound (S3)', async () => {
    const process = newProcess({ maxBytes: 100_000_000 });
    const spool = await process.open();
    for (let first = 1; first <= 10; first++) await spool.append(makeBatch(first, 1_000_000));
    for (const path of segments()) {
      disk.damage(path, (content) => {
        for (let at = 0; at < content.length; at += 500_000) content.fill(0xff, at, at + 100);
        return content;
      });
    }
    const { next, spool: other } = await afterKill(process);
    await other.adopt();
    const kept = disk.filePaths().filter((path) => path.startsWith(`${ROOT}/bad/`));
    const bytes = kept.reduce((total, path) => total + disk.contentOf(path).length, 0);
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(bytes).toBeLessThanOrEqual(8_388_608);
    expect(next.codes).toContain('damaged');
  });

  it('that made a whole segment vanish does not keep the others from being found (S4)', async () => {
    const process = newProcess({ segmentBytes: 1_000 });
    const spool = await process.open();
    for (const first of [1, 2, 3, 4, 5, 6]) await mustAppend(spool, first);
    expect(segments().length).toBe(3);
    disk.remove(segments()[1] ?? '');
    const next = await afterKill(process);
    expect(allFirsts(await next.spool.adopt())).toStrictEqual([1, 2, 5, 6]);
  });

  it('of the notes of what is released only has it sent again', async () => {
    const process = newProcess();
    const spool = await process.open();
    const [entry] = await mustAppend(spool, 1, 2);
    if (entry !== undefined) spool.release(entry);
    await process.runtime.advance(1_001);
    disk.damage(disk.filePaths().find((path) => path.endsWith('/released')) ?? '', (content) =>
      content.fill(0x5a, 20),
    );
    const next = await afterKill(process);
    expect(allFirsts(await next.spool.adopt())).toStrictEqual([1, 2]);
  });

  it('is not made up for by what somebody logs: a frame inside a record is no frame', async () => {
    const process = newProcess();
    const spool = await process.open();
    await mustAppend(spool, 1);
    const forged = Buffer.from(disk.contentOf(firstSegment()));
    const elsewhere = newProcess({ directory: '/data/other' });
    const other = await elsewhere.open();
    await other.append({ ...makeBatch(2), payload: forged });
    const path = segments().find((name) => name.startsWith('/data/other')) ?? '';
    disk.damage(path, (content) => flipped(content, SEGMENT_HEADER_BYTES + 20));
    elsewhere.kill();
    const next = await newProcess({ directory: '/data/other' }).open();
    expect(await next.adopt()).toStrictEqual([]);
  });

  it('is looked through in small pieces, whatever the size', async () => {
    const process = newProcess({ maxBytes: 100_000_000 });
    const spool = await process.open();
    await spool.append(makeBatch(1, 3_000_000));
    await spool.append(makeBatch(2, 3_000_000));
    process.kill();
    const files = disk.files();
    let largest = 0;
    const next = newProcess({
      files: {
        ...files,
        openToWrite: async (path) => {
          const file = await files.openToWrite(path);
          return {
            ...file,
            read: (into, position) => {
              largest = Math.max(largest, into.length);
              return file.read(into, position);
            },
          };
        },
      },
    });
    const other = await next.open();
    expect(allFirsts(await other.adopt())).toStrictEqual([1, 2]);
    expect(largest).toBe(262_144);
    expect(next.codes).toStrictEqual([]);
  });
});

function flipped(content: Buffer, at: number): Buffer {
  content.writeUInt8(content.readUInt8(at) ^ 0x10, at);
  return content;
}

describe('several processes on one directory', () => {
  it('do not touch each other while they live, also within one process (S6)', async () => {
    const one = newProcess();
    const spools = [await one.open(), await one.open(), await newProcess().open()];
    for (const [index, spool] of spools.entries()) await mustAppend(spool, index + 1);
    for (const spool of spools) expect(await spool.adopt()).toStrictEqual([]);
  });

  it('get what dead ones left exactly once, however many ask for it at once (S6)', async () => {
    const dead = [newProcess(), newProcess(), newProcess(), newProcess()];
    for (const [index, process] of dead.entries())
      await mustAppend(await process.open(), index * 2 + 1, index * 2 + 2);
    for (const process of dead) process.kill();
    const racers = await Promise.all([newProcess().open(), newProcess().open(), newProcess().open()]);
    const found = await Promise.all(racers.flatMap((racer) => [racer.adopt(), racer.adopt()]));
    const all = allFirsts(found.flat());
    expect(all.toSorted((a, b) => a - b)).toStrictEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(found.filter((some) => some.length > 0).length).toBeGreaterThan(0);
  });

  it('pass on what one of them had adopted and not sent, without nesting deeper at each restart (S6)', async () => {
    let process = newProcess();
    await mustAppend(await process.open(), 1);
    for (let restart = 0; restart < 4; restart++) {
      const next = await afterKill(process);
      process = next.next;
      expect(allFirsts(await next.spool.adopt()).toSorted((a, b) => a - b)).toStrictEqual(
        Array.from({ length: restart + 1 }, (_, index) => index + 1),
      );
      await mustAppend(next.spool, restart + 2);
    }
    expect(Math.max(...segments().map((path) => path.split('/').length))).toBe(ROOT.split('/').length + 3);
  });

  it('remove what a dead one left when all of it is released', async () => {
    const process = newProcess();
    await mustAppend(await process.open(), 1, 2);
    const { spool } = await afterKill(process);
    const [adopted] = await spool.adopt();
    if (adopted === undefined) throw new Error('nothing adopted');
    expect(spool.entries).toBe(2);
    for (const entry of adopted.entries) adopted.release(entry);
    await adopted.close();
    expect([spool.entries, spool.bytes]).toStrictEqual([0, 0]);
    await spool.close();
    expect(disk.filePaths()).toStrictEqual([]);
  });

  it('count what they adopted against their limit of size (S10)', async () => {
    const process = newProcess({ maxBytes: 60_000 });
    const spool = await process.open();
    for (let first = 1; first <= 20; first++) await spool.append(makeBatch(first, 1_000));
    const { next, spool: other } = await afterKill(process, { maxBytes: 60_000 });
    const [adopted] = await other.adopt();
    expect(other.bytes).toBeGreaterThan(20_000);
    expect(await other.append(makeBatch(21, 10_000))).toBeUndefined();
    expect(next.codes).toStrictEqual(['full']);
    for (const entry of adopted?.entries ?? []) adopted?.release(entry);
    await adopted?.close();
    expect(await other.append(makeBatch(22, 10_000))).toBeDefined();
  });
});

describe('the limit of size', () => {
  it('is never exceeded, and a full spool takes batches again when some are released (S10)', async () => {
    const process = newProcess({ maxBytes: 60_000 });
    const spool = await process.open();
    const entries: SpoolEntry[] = [];
    for (let first = 1; ; first++) {
      const entry = await spool.append(makeBatch(first, 2_000));
      if (entry === undefined) break;
      entries.push(entry);
    }
    expect(process.codes).toStrictEqual(['full']);
    expect(disk.usedBytes).toBeLessThanOrEqual(60_000);
    expect(entries.length).toBeGreaterThan(15);
    for (const entry of entries) spool.release(entry);
    await mustAppend(spool, 100, 101);
  });

  it('holds at the end of a process too (S10)', async () => {
    const process = newProcess({ maxBytes: 60_000 });
    const spool = await process.open();
    const waiting = [1, 2, 3].map((first) => spool.append(makeBatch(first, 10_000)));
    await Promise.resolve();
    const entries = spool.appendAllSync([makeBatch(4, 10_000), makeBatch(5, 100)]);
    await Promise.all(waiting);
    await settled();
    expect(entries).toContain(undefined);
    expect(disk.usedBytes).toBeLessThanOrEqual(60_000);
    expect(process.codes).toContain('full');
  });
});

describe('clocks and versions', () => {
  it('that run backwards change neither order nor deadlines (S9)', async () => {
    let now = 1e12;
    const date = vi.spyOn(Date, 'now').mockImplementation(() => (now -= 3_600_000));
    try {
      const process = newProcess({ segmentBytes: 800 });
      const spool = await process.open();
      for (const first of [1, 2, 3, 4, 5, 6]) await mustAppend(spool, first);
      await process.runtime.advance(51);
      disk.crash(() => false);
      const next = await afterKill(process);
      expect(allFirsts(await next.spool.adopt())).toStrictEqual([1, 2, 3, 4, 5, 6]);
    } finally {
      date.mockRestore();
    }
  });

  it('that are not ours are refused with a word and left as they are (S11)', async () => {
    const process = newProcess();
    await mustAppend(await process.open(), 1);
    disk.damage(firstSegment(), (content) => {
      content.writeUInt32LE(7, 8);
      content.writeUInt32LE(crc32(content.subarray(0, 28)), 28);
      return content;
    });
    const before = disk.filePaths().map((path) => [path, disk.contentOf(path).toString('hex')]);
    const { next, spool } = await afterKill(process);
    expect(await spool.adopt()).toStrictEqual([]);
    expect(next.problems).toMatchObject([{ code: 'version', text: expect.stringContaining('format 7') }]);
    await spool.close();
    expect(disk.filePaths().map((path) => [path, disk.contentOf(path).toString('hex')])).toStrictEqual(
      before,
    );
  });
});
