import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { entryEncoder } from '../../../src/codec/formats.js';
import type { AppendReply, AppendRequest, OpenReply, OpenRequest } from '../../../src/pipeline/ports.js';
import { batchOf, type DirectStore, openDirectStore } from '../../support/direct-store.js';
import {
  append,
  EMPTY_STREAM,
  type GuardedStream,
  loseGuards,
  open,
  trim,
} from '../../support/oracle-guard.js';
import { seeded } from '../../support/oracle.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';

const STREAM = 'logs:script';
const GUARD = '{logs:script}:guard:p';
const LAST_MS = '18446744073709551615';

let server: RedisServer;
let client: ReturnType<RedisServer['client']>;
let direct: DirectStore;

beforeAll(async () => {
  server = await startRedisServer();
  client = server.client();
});

afterAll(() => server.stop());

beforeEach(async () => {
  await client.flushall();
  direct = await openDirectStore(server.url);
});

afterEach(() => direct[Symbol.asyncDispose]());

function opening(parts: Partial<OpenRequest> = {}): Promise<OpenReply> {
  return direct.store.open({
    stream: STREAM,
    producer: 'p',
    epoch: 1,
    shed: 0,
    history: 'fresh',
    from: '',
    searchable: true,
    ...parts,
  });
}

interface Appending extends Partial<Omit<AppendRequest, 'batch'>> {
  readonly bodies?: readonly string[];
  readonly first?: number;
}

function appending({ bodies = [], first, ...parts }: Appending = {}, to = direct): Promise<AppendReply> {
  const { prev = 0 } = parts;
  const batch = bodies.length === 0 ? undefined : batchOf(bodies, { first: first ?? prev + 1 });
  return to.store.append({
    stream: STREAM,
    producer: 'p',
    epoch: 1,
    prev,
    holes: 0,
    shed: 0,
    ...parts,
    batch,
  });
}

/** What is stored, as `producer:seq:body`. */
async function stored(): Promise<string[]> {
  const entries = (await client.xrange(STREAM, '-', '+')) as [string, string[]][];
  return entries.map(([, fields]) => {
    const value = (name: string): string => fields[fields.indexOf(name) + 1] ?? '';
    return `${value('producer')}:${value('seq')}:${value('body')}`;
  });
}

async function lastId(): Promise<string> {
  const [entry] = (await client.xrevrange(STREAM, '+', '-', 'COUNT', 1)) as [string, string[]][];
  return entry?.[0] ?? '0-0';
}

describe('OPEN', () => {
  it('makes a guard for a new producer, and tells the last id of the stream', async () => {
    expect(await opening()).toMatchObject({ status: 'guard', seq: 0, lastId: '0-0' });
    await client.xadd(STREAM, '5-7', 'a', 'b');
    expect(await opening({ producer: 'q', shed: 3 })).toMatchObject({
      status: 'guard',
      seq: 0,
      lastId: '5-7',
    });
    expect(await client.get('{logs:script}:guard:q')).toBe('0 0 3 1');
  });

  it('tells the guard that is there, and takes it over with a higher epoch only', async () => {
    await client.set(GUARD, '41 2 3 7');
    expect(await opening({ epoch: 6, history: 'acknowledged' })).toMatchObject({ seq: 41 });
    expect(await client.get(GUARD)).toBe('41 2 3 7');
    expect(await opening({ epoch: 8, history: 'acknowledged' })).toMatchObject({ seq: 41 });
    expect(await client.get(GUARD)).toBe('41 2 3 8');
  });

  it('keeps the guard alive for seven days from its last use', async () => {
    await opening();
    expect(await client.pttl(GUARD)).toBeGreaterThan(6.99 * 86_400_000);
    await client.pexpire(GUARD, 1_000);
    await appending({ bodies: ['a'] });
    expect(await client.pttl(GUARD)).toBeGreaterThan(6.99 * 86_400_000);
    await client.pexpire(GUARD, 1_000);
    await appending({ prev: 1 });
    expect(await client.pttl(GUARD)).toBeGreaterThan(6.99 * 86_400_000);
  });

  it('makes a lost guard anew from the last entry of this producer, among those of others', async () => {
    await opening();
    await appending({ bodies: ['a', 'b'] });
    await opening({ producer: 'q' });
    await appending({ producer: 'q', bodies: ['x'] });
    await client.del(GUARD);
    expect(await opening({ epoch: 2, history: 'acknowledged', shed: 4 })).toMatchObject({
      status: 'guard',
      seq: 2,
    });
    // Nobody knows any more how many numbers will never come.
    expect(await client.get(GUARD)).toBe('2 -1 4 2');
    expect(await appending({ epoch: 2, prev: 2, bodies: ['c'], holes: 0 })).toMatchObject({
      status: 'written',
    });
  });

  it('begins at 0 when nothing of this producer is there and nothing was ever trimmed', async () => {
    await client.xadd(STREAM, '*', 'a', 'b');
    expect(await opening({ history: 'acknowledged' })).toMatchObject({ status: 'guard', seq: 0 });
  });

  it('begins at 0 when the whole stream is gone', async () => {
    expect(await opening({ history: 'acknowledged' })).toMatchObject({ status: 'guard', seq: 0 });
    expect(await opening({ producer: 'q', history: 'unacknowledged', from: '5-5' })).toMatchObject({
      seq: 0,
    });
  });

  it('cannot tell when something was trimmed, and makes no guard then', async () => {
    await opening();
    await appending({ bodies: ['a', 'b'] });
    await client.del(GUARD);
    await opening({ producer: 'q' });
    await appending({ producer: 'q', bodies: ['x'] });
    await client.xtrim(STREAM, 'MAXLEN', 1);
    expect(await opening({ epoch: 2, history: 'acknowledged' })).toEqual({
      status: 'cannot-tell',
      lastId: await lastId(),
    });
    expect(await client.exists(GUARD)).toBe(0);
  });

  it('cannot tell when entries were deleted', async () => {
    await opening();
    await appending({ bodies: ['a'] });
    await client.xdel(STREAM, await lastId());
    await client.del(GUARD);
    expect(await opening({ epoch: 2, history: 'acknowledged' })).toMatchObject({ status: 'cannot-tell' });
  });

  it('can tell that nothing is there when only what came before the first send was trimmed', async () => {
    for (let n = 0; n < 5; n++) await client.xadd(STREAM, '*', 'a', 'b');
    const from = await lastId();
    await client.xtrim(STREAM, 'MAXLEN', 1);
    await client.xadd(STREAM, '*', 'a', 'b');
    expect(await opening({ history: 'unacknowledged', from })).toMatchObject({ status: 'guard', seq: 0 });
    await client.del(GUARD);
    await client.xtrim(STREAM, 'MAXLEN', 1);
    expect(await opening({ history: 'unacknowledged', from })).toMatchObject({ status: 'cannot-tell' });
  });

  it('cannot tell beyond the 10,000 entries that it looks through', async () => {
    await opening();
    await appending({ bodies: ['a'] });
    await client.del(GUARD);
    const pipeline = client.pipeline();
    for (let n = 0; n < 9_900; n++) pipeline.xadd(STREAM, '*', 'a', 'b');
    await pipeline.exec();
    expect(await opening({ epoch: 2, history: 'acknowledged' })).toMatchObject({ status: 'guard', seq: 1 });
    await client.del(GUARD);
    const more = client.pipeline();
    for (let n = 0; n < 200; n++) more.xadd(STREAM, '*', 'a', 'b');
    await more.exec();
    expect(await opening({ epoch: 2, history: 'acknowledged' })).toMatchObject({ status: 'cannot-tell' });
  });

  it('cannot tell where entries carry no producer', async () => {
    await client.xadd(STREAM, '*', 'log', '{}');
    const parts = { history: 'acknowledged', searchable: false } as const;
    expect(await opening(parts)).toMatchObject({ status: 'cannot-tell' });
  });

  it('is not deceived by attributes that are named producer and seq', async () => {
    await opening();
    const batch = batchOf(['a'], { first: 1 });
    await direct.store.append({ stream: STREAM, producer: 'p', epoch: 1, prev: 0, holes: 0, shed: 0, batch });
    await client.xadd(
      STREAM,
      '*',
      'attributes.producer',
      'p',
      'attributes.seq',
      '99',
      'producer',
      'q',
      'seq',
      '7',
    );
    await client.del(GUARD);
    expect(await opening({ epoch: 2, history: 'acknowledged' })).toMatchObject({ seq: 1 });
  });

  it('refuses a key of another type, and so does a batch', async () => {
    await opening();
    await client.set(STREAM, 'text');
    for (const reply of [await opening({ epoch: 2 }), await appending({ bodies: ['a'] })]) {
      expect(reply).toMatchObject({ status: 'failed', failure: { kind: 'circuit', token: 'WRONGTYPE' } });
    }
    expect(await client.get(STREAM)).toBe('text');
    expect(direct.store.state).toBe('ready');
  });
});

describe('A batch', () => {
  it('is appended, and moves the guard, with the absolute counts of the producer', async () => {
    await opening();
    const reply = await appending({ bodies: ['a', 'b'], holes: 5, shed: 6 });
    expect(reply).toEqual({ status: 'written', lastId: await lastId() });
    expect(await client.get(GUARD)).toBe('2 5 6 1');
    expect(await stored()).toEqual(['p:1:a', 'p:2:b']);
  });

  it('without a guard is told so, and makes none', async () => {
    await opening({ producer: 'q' });
    expect(await appending({ bodies: ['a'] })).toEqual({ status: 'absent' });
    expect(await client.exists(STREAM, GUARD)).toBe(0);
  });

  it('that the server has forgotten the script for is refused, so that OPEN brings it again', async () => {
    await opening();
    await client.script('FLUSH');
    expect(await appending({ bodies: ['a'] })).toEqual({ status: 'refused' });
    await opening({ epoch: 2, history: 'acknowledged' });
    expect(await appending({ epoch: 2, bodies: ['a'] })).toMatchObject({ status: 'written' });
  });

  it('of another epoch is refused, be it lower or higher', async () => {
    await opening({ epoch: 2 });
    expect(await appending({ epoch: 1, bodies: ['a'] })).toEqual({ status: 'refused' });
    expect(await appending({ epoch: 3, bodies: ['a'] })).toEqual({ status: 'refused' });
    expect(await stored()).toEqual([]);
  });

  it('that leaves a gap is refused, and so is one that was stored in part', async () => {
    await opening();
    await appending({ bodies: ['a', 'b'] });
    expect(await appending({ prev: 3, bodies: ['d'] })).toEqual({ status: 'refused' });
    expect(await appending({ prev: 1, bodies: ['b', 'c'] })).toEqual({ status: 'refused' });
    expect(await stored()).toEqual(['p:1:a', 'p:2:b']);
  });

  it('that is there already is said to be there', async () => {
    await opening();
    await appending({ bodies: ['a', 'b'] });
    expect(await appending({ bodies: ['a', 'b'] })).toEqual({ status: 'already' });
    expect(await appending({ prev: 1, bodies: ['b'] })).toEqual({ status: 'already' });
    expect(await stored()).toEqual(['p:1:a', 'p:2:b']);
  });

  it('may leave out numbers that will never come', async () => {
    await opening();
    await appending({ bodies: ['a'] });
    expect(await appending({ prev: 1, first: 5, bodies: ['e'], holes: 3 })).toMatchObject({
      status: 'written',
    });
    expect(await client.get(GUARD)).toBe('5 3 0 1');
  });

  it('that uses a number twice is an error and stores nothing', async () => {
    await opening();
    await appending({ bodies: ['a', 'b'] });
    const reply = await appending({ prev: 2, first: 2, bodies: ['b'] });
    expect(reply).toMatchObject({ status: 'failed', failure: { token: 'ERR' } });
    expect(await stored()).toHaveLength(2);
  });

  it('without records compares only, and leaves the counts of the producer', async () => {
    await opening();
    await appending({ bodies: ['a'] });
    expect(await appending({ prev: 1, holes: 2, shed: 9 })).toEqual({ status: 'written', lastId: '' });
    expect(await client.get(GUARD)).toBe('1 2 9 1');
    expect(await appending({ prev: 0 })).toEqual({ status: 'refused' });
    expect(await appending({ prev: 2 })).toEqual({ status: 'refused' });
  });

  it('that fails half-way leaves the guard at the last record appended, and names the one that failed', async () => {
    await opening();
    await appending({ bodies: ['a'] });
    await client.call('XSETID', STREAM, `${LAST_MS}-18446744073709551613`);
    const reply = await appending({ prev: 1, bodies: ['b', 'c', 'd', 'e'], holes: 1 });
    expect(reply).toMatchObject({ status: 'bad', appended: 3, number: 4, failure: { kind: 'record' } });
    expect(await client.get(GUARD)).toBe('3 1 0 1');
    expect(await stored()).toEqual(['p:1:a', 'p:2:b', 'p:3:c']);
  });

  it('that fails at its first record leaves the guard as it was', async () => {
    await opening();
    await appending({ bodies: ['a'] });
    await client.call('XSETID', STREAM, `${LAST_MS}-${LAST_MS}`);
    const reply = await appending({ prev: 1, bodies: ['b'], holes: 7 });
    expect(reply).toMatchObject({ status: 'bad', appended: 1, number: 2 });
    expect(await client.get(GUARD)).toBe('1 0 0 1');
  });

  it('keeps numbers exact beyond those of floating point texts', async () => {
    await client.set(GUARD, `${2 ** 53 - 10} 0 0 1`);
    await opening({ epoch: 2, history: 'acknowledged' });
    const reply = await appending({ epoch: 2, prev: 2 ** 53 - 10, bodies: ['a', 'b'] });
    expect(reply).toMatchObject({ status: 'written' });
    expect(await stored()).toEqual([`p:${2 ** 53 - 9}:a`, `p:${2 ** 53 - 8}:b`]);
    expect(await client.get(GUARD)).toBe(`${2 ** 53 - 8} 0 0 2`);
  });

  it('holds whatever bytes a record holds', async () => {
    await opening();
    const bodies = ['\r\n$5\r\nhello', '\u0000\u0001', '€😀', ' ', 'x'.repeat(100_000)];
    expect(await appending({ bodies })).toMatchObject({ status: 'written' });
    expect(await stored()).toEqual(bodies.map((body, at) => `p:${at + 1}:${body}`));
  });
});

describe('Trimming', () => {
  it('keeps about the newest entries, and never fewer than asked for', async () => {
    await using trimmed = await openDirectStore(server.url, {
      trim: { maxLength: 500, maxAgeMs: undefined },
    });
    await opening();
    for (let batch = 0; batch < 20; batch++) {
      const bodies = Array.from({ length: 100 }, (_, at) => `r${batch * 100 + at}`);
      expect(await appending({ prev: batch * 100, bodies }, trimmed)).toMatchObject({ status: 'written' });
    }
    const length = await client.xlen(STREAM);
    expect(length).toBeGreaterThanOrEqual(500);
    expect(length).toBeLessThan(700);
    expect((await stored()).at(-1)).toBe('p:2000:r1999');
  });

  it('by age goes by the clock of the server', async () => {
    await using trimmed = await openDirectStore(server.url, {
      trim: { maxLength: undefined, maxAgeMs: 60_000 },
    });
    const [seconds] = await client.time();
    const old = Number(seconds) * 1_000 - 120_000;
    const pipeline = client.pipeline();
    for (let n = 0; n < 1_000; n++) pipeline.xadd(STREAM, `${old}-${n + 1}`, 'a', 'b');
    await pipeline.exec();
    await opening();
    await appending({ bodies: ['new'] }, trimmed);
    const length = await client.xlen(STREAM);
    expect(length).toBeLessThan(200);
    expect((await stored()).at(-1)).toBe('p:1:new');
  });

  it('is left out where it is done elsewhere', async () => {
    await opening();
    await appending({ bodies: Array.from({ length: 1_000 }, (_, at) => String(at)) });
    expect(await client.xlen(STREAM)).toBe(1_000);
  });
});

describe('Resources', () => {
  const resource = (name: string): { attributes: Record<string, unknown> } => ({
    attributes: { 'service.name': name },
  });

  async function appendOf(name: string, prev: number): Promise<AppendReply> {
    const batch = batchOf(['a'], { first: prev + 1, resource: resource(name) });
    return direct.store.append({ stream: STREAM, producer: 'p', epoch: 1, prev, holes: 0, shed: 0, batch });
  }

  it('are stored once, with the time of their last use', async () => {
    await opening();
    await appendOf('one', 0);
    const first = await client.zrange('{logs:script}:resources:seen', '0', '-1', 'WITHSCORES');
    await appendOf('one', 1);
    await appendOf('two', 2);
    const texts = Object.values(await client.hgetall('{logs:script}:resources'));
    expect(texts.toSorted()).toEqual([
      '{"attributes":{"service.name":"one"}}',
      '{"attributes":{"service.name":"two"}}',
    ]);
    const [seconds] = await client.time();
    expect(Math.abs(Number(first[1]) - Number(seconds) * 1_000)).toBeLessThan(60_000);
    expect(await client.zcard('{logs:script}:resources:seen')).toBe(2);
  });

  it('are removed when no entry is left that can refer to them, and only then', async () => {
    await opening();
    await appendOf('gone', 0);
    await appendOf('kept', 1);
    await direct.store.sweep(STREAM);
    expect(await client.hlen('{logs:script}:resources')).toBe(2);
    const [hash] = await client.zrange('{logs:script}:resources:seen', '0', '0');
    await client.zadd('{logs:script}:resources:seen', '1000', hash ?? '');
    await direct.store.sweep(STREAM);
    const left = await client.hkeys('{logs:script}:resources');
    expect(left).toHaveLength(1);
    expect(left).not.toContain(hash);
    expect(await client.zrange('{logs:script}:resources:seen', '0', '-1')).toEqual(left);
  });

  it('are left alone where there is no stream, or an empty one', async () => {
    await client.hset('{logs:script}:resources', 'h', 't');
    await client.zadd('{logs:script}:resources:seen', '1', 'h');
    await direct.store.sweep(STREAM);
    await client.xadd(STREAM, '*', 'a', 'b');
    await client.xtrim(STREAM, 'MAXLEN', 0);
    await direct.store.sweep(STREAM);
    expect(await client.hlen('{logs:script}:resources')).toBe(1);
  });
});

describe('A list instead of a stream', () => {
  async function openList(): Promise<DirectStore> {
    return openDirectStore(server.url, { target: 'list', trim: { maxLength: 3, maxAgeMs: undefined } });
  }

  it('gets one item a record under the same guard, and is trimmed too', async () => {
    await using list = await openList();
    const { store } = list;
    const encoder = entryEncoder('list', 'fields', () => {});
    const request = { stream: STREAM, producer: 'p', epoch: 1, holes: 0, shed: 0 };
    const opened = { ...request, history: 'fresh', from: '', searchable: false } as const;
    expect(await store.open(opened)).toMatchObject({ status: 'guard', seq: 0 });
    const batch = batchOf(['a', 'b'], { first: 1, encoder });
    expect(await store.append({ ...request, prev: 0, batch })).toEqual({ status: 'written', lastId: '' });
    expect(await store.append({ ...request, prev: 0, batch })).toEqual({ status: 'already' });
    const more = batchOf(['c', 'd'], { first: 3, encoder });
    expect(await store.append({ ...request, prev: 2, batch: more })).toMatchObject({ status: 'written' });
    const items = await client.lrange(STREAM, 0, -1);
    expect(items).toHaveLength(3);
    expect(items.map((item) => JSON.stringify(JSON.parse(item)).includes('"d"'))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('cannot tell after a loss of the guard, also when readers have emptied it', async () => {
    await using list = await openList();
    const opened = { stream: STREAM, producer: 'p', epoch: 2, shed: 0, from: '', searchable: false };
    const reply = await list.store.open({ ...opened, history: 'acknowledged' });
    expect(reply).toMatchObject({ status: 'cannot-tell' });
  });

  it('refuses a stream in its place', async () => {
    await using list = await openList();
    await client.xadd(STREAM, '*', 'a', 'b');
    const opened = { stream: STREAM, producer: 'p', epoch: 2, shed: 0, from: '', searchable: false };
    const reply = await list.store.open({ ...opened, history: 'fresh' });
    expect(reply).toMatchObject({ status: 'failed', failure: { token: 'WRONGTYPE' } });
  });
});

describe('The script', () => {
  it('answers any sequence of requests as the specification does', async () => {
    const random = seeded(Number(process.env['FAULT_SEED'] ?? 7));
    const pick = (below: number): number => Math.floor(random() * below);
    const seen = new Map<string, number>();
    for (let run = 0; run < 60; run++) {
      await client.flushall();
      const both = new Both(direct);
      for (let step = 0; step < 40; step++) {
        const { specified, found } = await both.step(pick);
        expect(found).toEqual(specified);
        const status = String(found['status']);
        seen.set(status, (seen.get(status) ?? 0) + 1);
        // A number used twice is an error that ends the connection.
        if (status === 'failed') await expect.poll(() => direct.store.state).toBe('ready');
      }
    }
    const statuses = ['guard', 'cannot-tell', 'written', 'already', 'refused', 'absent', 'failed'];
    for (const status of statuses) expect(seen.get(status), status).toBeGreaterThan(10);
  });
});

type Facts = Readonly<Record<string, unknown>>;

interface Compared {
  readonly specified: Facts;
  readonly found: Facts;
}

/** The same requests to the specification and to Redis. */
class Both {
  #model: GuardedStream = EMPTY_STREAM;
  #nextId = 0;
  readonly #direct: DirectStore;
  /** Ids of the model, and what they are in Redis. */
  readonly #ids = new Map<number, string>([[0, '0-0']]);
  /** The last id before the first entry of a producer. */
  readonly #firstIds = new Map<string, number>();

  constructor(to: DirectStore) {
    this.#direct = to;
  }

  /** Makes one random request of both, and returns what both answered. */
  async step(pick: (below: number) => number): Promise<Compared> {
    const producer = `p${pick(2)}`;
    const guard = this.#model.guards[producer] ?? { seq: pick(3), epoch: 1, holes: 0, shed: 0 };
    // Near the truth, so that all answers come up.
    const epoch = Math.max(1, guard.epoch + pick(4) - (pick(2) + 1));
    const kind = pick(20);
    if (kind === 0) return this.#loseGuards();
    if (kind === 1) return this.#trim(pick(3));
    if (kind < 7) return this.#open({ producer, epoch }, pick(3), pick(5) / 4);
    const prev = Math.max(0, guard.seq + (pick(3) === 0 ? pick(4) - 2 : 0));
    const first = prev + (pick(8) === 0 ? pick(3) : 1);
    const records = Array.from({ length: pick(4) }, () => `r${pick(1_000)}`);
    return this.#append({ producer, epoch: pick(3) === 0 ? epoch : guard.epoch, prev, first, records });
  }

  async #open(who: { producer: string; epoch: number }, which: number, share: number): Promise<Compared> {
    const history = (['fresh', 'acknowledged', 'unacknowledged'] as const)[which] ?? 'fresh';
    // A producer has stored nothing before the id that it saw at its start.
    const from = Math.floor((this.#firstIds.get(who.producer) ?? this.#nextId) * share);
    const { stream, answer } = open(this.#model, { ...who, shed: 0, history, from });
    const request = { ...who, stream: STREAM, shed: 0, history, searchable: true };
    const reply = await this.#direct.store.open({ ...request, from: this.#redisId(from) });
    // Redis does not tell what exactly was trimmed; then it is right to be careful.
    const isCareful =
      reply.status === 'cannot-tell' && history === 'unacknowledged' && this.#model.trimmed.length > 0;
    if (isCareful) return { specified: { status: 'cannot-tell' }, found: { status: reply.status } };
    this.#model = stream;
    const specified = { ...answer, lastId: this.#redisId(answer.lastId) };
    return { specified, found: { ...reply } };
  }

  async #append(call: Omit<Parameters<typeof append>[1], 'holes' | 'shed'>): Promise<Compared> {
    const { records, first, ...request } = call;
    const counts = { holes: 1, shed: 2 };
    const known = this.#nextId;
    const model = append(
      this.#model,
      { ...call, ...counts },
      { nextId: () => ++this.#nextId, isBad: () => false },
    );
    const batch = records.length === 0 ? undefined : batchOf(records, { first });
    const reply = await this.#direct.store.append({ stream: STREAM, ...request, ...counts, batch });
    this.#model = model.stream;
    if (this.#nextId > known && !this.#firstIds.has(call.producer)) this.#firstIds.set(call.producer, known);
    await this.#learnIds(known);
    const status = model.answer.status === 'number-reuse' ? 'failed' : model.answer.status;
    const guard = this.#model.guards[call.producer];
    const text = guard === undefined ? null : `${guard.seq} ${guard.holes} ${guard.shed} ${guard.epoch}`;
    const found = await client.get(`{${STREAM}}:guard:${call.producer}`);
    return { specified: { status, guard: text }, found: { status: reply.status, guard: found } };
  }

  async #loseGuards(): Promise<Compared> {
    this.#model = loseGuards(this.#model);
    await client.del(`{${STREAM}}:guard:p0`, `{${STREAM}}:guard:p1`);
    return { specified: {}, found: {} };
  }

  async #trim(count: number): Promise<Compared> {
    this.#model = trim(this.#model, count);
    await client.xtrim(STREAM, 'MAXLEN', this.#model.entries.length);
    const length = await client.xlen(STREAM);
    return { specified: { length: this.#model.entries.length }, found: { length } };
  }

  #redisId(id: number): string {
    return this.#ids.get(id) ?? '0-0';
  }

  /** New entries of the model stand in the stream's end, in the same order. */
  async #learnIds(known: number): Promise<void> {
    const added = this.#nextId - known;
    if (added === 0) return;
    const entries = (await client.xrevrange(STREAM, '+', '-', 'COUNT', added)) as [string, string[]][];
    for (const [at, [id]] of entries.entries()) this.#ids.set(this.#nextId - at, id);
  }
}
