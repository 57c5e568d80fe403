import assert from 'node:assert/strict';
import type {
  AdoptedEntry,
  AdoptedSpool,
  Spool,
  SpoolBatch,
  SpoolEntry,
} from '../../../src/pipeline/spool/spool.js';
import { makeBatch, numbersFrom } from './batches.js';
import { FakeProcess, Machine, ROOT, settled } from './fake-process.js';
import { type Chance, MemoryDisk } from './memory-disk.js';

const MAX_BYTES = 80_000;
const SYNC_MS = 50;

/** What is known of one batch that somebody wanted on disk. */
interface Known {
  readonly batch: SpoolBatch;
  /** `held`: the append has resolved with an entry. `tried`: it has not, or with none. */
  state: 'tried' | 'held' | 'released' | 'gone';
  /** A sync has succeeded since. */
  isSynced: boolean;
  /** A sync has failed since it was written, and the spool said so. */
  isDoubtful: boolean;
  entry: SpoolEntry | undefined;
  owner: Pick<AdoptedSpool, 'read' | 'release'> | undefined;
}

export type Death = 'close' | 'kill' | 'power cut';

/** A spool on a disk that forgets, and what a perfect observer knows of every batch. */
export class SpoolWorld {
  readonly disk = new MemoryDisk();
  readonly seen = { found: 0, lost: 0, unsynced: 0, refused: 0, again: 0 };
  readonly #machine = new Machine();
  readonly #known = new Map<number, Known>();
  #process: FakeProcess;
  #spool: Spool | undefined;
  #flips = 0;
  #hasFailed = false;
  #toldBefore = 0;

  constructor() {
    this.#process = this.#newProcess();
  }

  #newProcess(): FakeProcess {
    return new FakeProcess(this.disk, this.#machine, {
      maxBytes: MAX_BYTES,
      segmentBytes: 3_000,
      syncMs: SYNC_MS,
      problem: (code, text) => this.#hear(code, text),
    });
  }

  #hear(code: string, text: string): void {
    assert.ok(!text.includes(ROOT), 'a text with a path');
    this.#toldBefore++;
    if (code !== 'unsynced') return;
    this.seen.unsynced++;
    for (const known of this.#known.values()) if (!known.isSynced) known.isDoubtful = true;
  }

  get spool(): Spool {
    if (this.#spool === undefined) throw new Error('start() first');
    return this.#spool;
  }

  async start(): Promise<void> {
    this.#spool = await this.#process.open();
    await this.#verifyAdopted('close');
  }

  /** Appends all at once; outcomes are noted as they come. */
  async append(
    sizes: readonly number[],
    how: 'append' | 'overtaken' | 'appendSync' = 'append',
  ): Promise<void> {
    const { spool } = this;
    // So much is kept for what each directory needs beside its segments.
    const homes = new Set(this.disk.filePaths().map((path) => path.slice(0, path.lastIndexOf('/'))));
    const overhead = 16_384 * homes.size;
    const bytes = spool.bytes + overhead + sum(sizes) + 1_000 * sizes.length;
    // What is overtaken may be written twice, and so may have room for one of them only.
    const fine = how === 'append' && !this.#hasFailed && bytes < MAX_BYTES;
    const told = this.#toldBefore;
    const all = sizes.map((size) => this.#know(size));
    const outcome = (known: Known, entry: SpoolEntry | undefined): void => {
      if (entry === undefined) {
        this.seen.refused++;
        assert.ok(this.#toldBefore > told, 'refused without a word');
        assert.ok(!fine, 'refused for no reason');
        return;
      }
      assert.equal(entry.count, known.batch.count);
      Object.assign(known, { state: 'held', entry, owner: spool });
    };
    if (how === 'appendSync') {
      const entries = spool.appendAllSync(all.map(({ batch }) => batch));
      all.forEach((known, index) => outcome(known, entries[index]));
      return;
    }
    await Promise.all(all.map(async (known) => outcome(known, await spool.append(known.batch))));
  }

  #know(size: number): Known {
    const first = this.#known.size + 1;
    const known: Known = {
      batch: makeBatch(first, size),
      state: 'tried',
      isSynced: false,
      isDoubtful: false,
      entry: undefined,
      owner: undefined,
    };
    this.#known.set(first, known);
    return known;
  }

  get #held(): readonly Known[] {
    return [...this.#known.values()].filter(({ state }) => state === 'held');
  }

  async release(pick: number, many: boolean): Promise<void> {
    const held = this.#held;
    const start = Math.floor(pick * held.length);
    for (const known of held.slice(start, many ? undefined : start + 1)) {
      known.state = 'released';
      if (known.entry !== undefined) known.owner?.release(known.entry);
    }
    await settled();
  }

  async read(pick: number): Promise<void> {
    const held = this.#held;
    const known = held[Math.floor(pick * held.length)];
    if (known?.entry === undefined) return;
    await this.#expectWhole(known, await known.owner?.read(known.entry));
  }

  async #expectWhole(known: Known, batch: SpoolBatch | undefined): Promise<void> {
    if (batch !== undefined) {
      assert.deepEqual(batch, known.batch);
      return;
    }
    this.seen.lost++;
    assert.ok(this.seen.lost <= this.#flips, 'cannot be read');
    if (known.entry !== undefined) known.owner?.release(known.entry);
    known.state = 'gone';
    await settled();
  }

  /** Time passes, so that everything written is synced, unless the disk fails just now. */
  async sync(): Promise<void> {
    await this.#process.runtime.advance(SYNC_MS + 1);
    if (this.disk.failing.sync === undefined) this.#markSynced();
  }

  #markSynced(): void {
    for (const known of this.#held) if (!known.isDoubtful) known.isSynced = true;
  }

  async wait(ms: number): Promise<void> {
    await this.#process.runtime.advance(ms);
  }

  fail(what: 'write' | 'sync' | 'truncate' | 'create', code: string): void {
    this.#hasFailed = true;
    this.disk.failing[what] = code;
  }

  fill(freeBytes: number): void {
    this.#hasFailed = true;
    this.disk.capacity = this.disk.usedBytes + freeBytes;
  }

  async heal(): Promise<void> {
    this.disk.capacity = Infinity;
    for (const what of ['write', 'sync', 'truncate', 'create'] as const) delete this.disk.failing[what];
    // The spool tries again a second after a failure.
    await this.#process.runtime.advance(1_001);
    this.#hasFailed = false;
  }

  /** One byte of one segment changes. */
  flip(pick: number, seed: number): void {
    const paths = this.#segments();
    const path = paths[Math.floor(pick * paths.length)];
    if (path === undefined) return;
    this.#flips++;
    this.disk.damage(path, (content) => {
      const at = Math.floor(numbersFrom(seed)() * content.length);
      if (at < content.length) content.writeUInt8(content.readUInt8(at) ^ (1 << (seed % 8)), at);
      return content;
    });
  }

  #segments(): readonly string[] {
    return this.disk.filePaths().filter((path) => path.endsWith('.seg'));
  }

  async expectBounded(): Promise<void> {
    await settled();
    const used = sum(this.#segments().map((path) => this.disk.contentOf(path).length));
    assert.ok(used <= MAX_BYTES, 'over the limit');
    assert.equal(this.spool.bytes, used);
  }

  /** The process is gone in the middle of this, which never comes to its end. */
  async dieIn(operations: number, action: () => Promise<void>): Promise<void> {
    this.disk.dieAfter(operations);
    let failure: Error | undefined;
    action().catch((error: Error) => (failure = error));
    for (let turn = 0; turn < 100; turn++) await settled();
    if (failure !== undefined) throw failure as Error;
  }

  /** Ends this process and starts another one, which must find everything that was promised. */
  async restart(death: Death, chance: Chance): Promise<void> {
    if (death === 'close') await this.spool.close();
    await this.#end(death, chance);
    this.#spool = await this.#process.open();
    await this.#verifyAdopted(death);
  }

  /** The process ends in the middle of something, and so does the next one, before it has adopted everything. */
  async restartTwice(death: Exclude<Death, 'close'>, chance: Chance, operations: number): Promise<void> {
    await this.#end(death, chance);
    this.disk.dieAfter(operations);
    let isDone = false;
    void this.#process.open().then(async (spool) => {
      await spool.adopt();
      isDone = true;
    });
    await settled();
    if (isDone) this.seen.again++;
    await this.restart(death, chance);
  }

  async #end(death: Death, chance: Chance): Promise<void> {
    await settled();
    this.#process.kill();
    if (death === 'power cut') this.disk.crash(chance);
    this.disk.revive();
    this.#process = this.#newProcess();
    await this.heal();
  }

  async #verifyAdopted(death: Death): Promise<void> {
    const found = new Set<Known>();
    for (const adopted of await this.spool.adopt()) {
      let last = 0;
      for (const entry of adopted.entries) {
        const known = this.#known.get(entry.first);
        if (known === undefined) throw new Error(`A batch that nobody appended: ${entry.first}`);
        assert.ok(entry.first > last, 'out of order');
        last = entry.first;
        assert.ok(!found.has(known), 'found twice');
        found.add(known);
        await this.#find(known, { adopted, entry, death });
      }
    }
    for (const known of this.#known.values()) if (!found.has(known)) this.#miss(known, death);
    this.seen.found += found.size;
    await this.expectBounded();
  }

  async #find(
    known: Known,
    { adopted, entry, death }: { adopted: AdoptedSpool; entry: AdoptedEntry; death: Death },
  ): Promise<void> {
    assert.ok(known.state !== 'released' || death !== 'close', 'released, closed, and yet there');
    const { stream, producer, first, count } = known.batch;
    const { stream: inStream, producer: by, first: from, count: of } = entry;
    assert.deepEqual([inStream, by, from, of], [stream, producer, first, count]);
    Object.assign(known, { state: 'held', entry, owner: adopted });
    if (!known.isDoubtful) known.isSynced = true;
    assert.deepEqual(await adopted.read(entry), known.batch);
  }

  #miss(known: Known, death: Death): void {
    if (known.state === 'held' && (death !== 'power cut' || known.isSynced)) {
      this.seen.lost++;
      assert.ok(this.seen.lost <= this.#flips, `lost ${known.batch.first} by ${death}`);
    }
    known.state = 'gone';
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
