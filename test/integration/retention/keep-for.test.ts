import type { Redis } from 'ioredis';
import { type AclOptions, aclRules, RedisLogWriter, type RetentionOptions } from 'nestjs-redis-log/core';
import { LogConsumer } from 'nestjs-redis-log/consumer';
import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { compareIds } from '../../../src/redis/entry-id.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';

const STREAM = 'logs:shop';
const GROUP = 'etl';

const redis = useRedisServer();

interface Writing extends AsyncDisposable {
  readonly lines: string[];
  readonly writer: RedisLogWriter;
  /** Writes so many records, and waits until they are stored. */
  write(count: number): Promise<void>;
  /** Goes on writing one record after the other until it is so: retention is looked after while records are written. */
  writeUntil(what: string, isSo: () => Promise<boolean>): Promise<void>;
  /** How many it has written. */
  readonly written: number;
}

function writing(
  retention: RetentionOptions,
  options: { readonly connection?: string; readonly delivery?: 'exactly-once' | 'at-least-once' } = {},
): Writing {
  const lines: string[] = [];
  const diagnostics = createDiagnostics({ write: (line) => lines.push(line) });
  const writer = new RedisLogWriter(
    { connection: redis.url, stream: STREAM, service: { name: 'shop' }, retention, ...options },
    { diagnostics },
  );
  let written = 0;
  const write = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) writer.emit({ body: `record ${written + n}` });
    written += count;
    await writer.flush();
    expect(writer.stats().delivered).toBe(written);
  };
  return {
    lines,
    writer,
    write,
    writeUntil: async (what, isSo) => {
      await until(
        async () => {
          await write(1);
          return isSo();
        },
        { what, timeoutMs: 10_000 },
      );
    },
    get written() {
      return written;
    },
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

/** A group's consumer by plain commands, and what it has not acknowledged. */
class Reading {
  readonly #client: Redis;
  readonly #group: string;
  readonly held: string[] = [];

  constructor(client: Redis, group = GROUP) {
    this.#client = client;
    this.#group = group;
  }

  async create(): Promise<void> {
    await this.#client.xgroup('CREATE', STREAM, this.#group, '0', 'MKSTREAM');
  }

  async read(count: number): Promise<number> {
    const args = ['GROUP', this.#group, 'me', 'COUNT', count, 'STREAMS', STREAM, '>'] as const;
    const reply = (await this.#client.xreadgroup(...args)) as [string, [string, unknown][]][] | null;
    const ids = reply?.[0]?.[1].map(([id]) => id) ?? [];
    this.held.push(...ids);
    return ids.length;
  }

  async acknowledge(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await this.#client.xack(STREAM, this.#group, ...ids);
    for (const id of ids) this.held.splice(this.held.indexOf(id), 1);
  }

  async acknowledgeAll(): Promise<void> {
    while ((await this.read(1_000)) > 0) await this.acknowledge([...this.held]);
    await this.acknowledge([...this.held]);
  }
}

async function ids(): Promise<string[]> {
  return (await redis.client.xrange(STREAM, '-', '+')).map(([id]) => id);
}

describe.each(['exactly-once', 'at-least-once'] as const)(
  'Retention that waits for a group (%s)',
  (delivery) => {
    it('never removes what the group has not acknowledged, whatever it reads and acknowledges', async () => {
      await using stream = writing(
        { maxLength: 1_000, keepFor: [GROUP], hardMaxLength: 100_000 },
        { delivery },
      );
      const group = new Reading(redis.client);
      await group.create();
      let acknowledged = 0;
      let chance = 12_345;
      const random = (): number => (chance = (chance * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
      for (let round = 0; round < 12; round++) {
        await stream.write(1_000 + Math.floor(random() * 500));
        await group.read(Math.floor(random() * 2_000));
        const some = group.held.filter(() => random() < 0.7);
        await group.acknowledge(some);
        acknowledged += some.length;
        const stored = await ids();
        const present = new Set(stored);
        expect(group.held.filter((id) => !present.has(id))).toEqual([]);
        const last = (await redis.client.xinfo('GROUPS', STREAM)) as unknown[][];
        const delivered = String(last[0]?.[last[0].indexOf('last-delivered-id') + 1]);
        const unread = stored.filter((id) => compareIds(id, delivered) > 0).length;
        expect(unread + group.held.length + acknowledged).toBe(stream.written);
      }
      expect(await redis.client.xlen(STREAM)).toBeGreaterThan(2_000);
      await stream.writeUntil('the stream to be trimmed', async () => {
        await group.acknowledgeAll();
        return (await redis.client.xlen(STREAM)) < 1_200;
      });
      expect(await redis.client.xlen(STREAM)).toBeGreaterThanOrEqual(1_000);
      expect(stream.writer.stats().trimmedUnacknowledged).toBe(0);
      expect(stream.lines).toEqual([]);
    });

    it('gives way at the hard limit, says so once, and counts what the group loses', async () => {
      await using stream = writing({ maxLength: 500, keepFor: [GROUP], hardMaxLength: 2_000 }, { delivery });
      const group = new Reading(redis.client);
      await group.create();
      for (let round = 0; round < 8; round++) await stream.write(1_000);
      await stream.writeUntil(
        'the hard limit to hold',
        async () => (await redis.client.xlen(STREAM)) < 2_200,
      );
      const lostOf = (): number => stream.writer.stats().trimmedUnacknowledged;
      // What was removed is counted a moment later, when the server's answer has come.
      await until(async () => lostOf() === stream.written - (await redis.client.xlen(STREAM)), {
        what: 'each of them to be counted',
      });
      const lost = lostOf();
      expect(lost).toBeGreaterThan(5_000);
      expect(stream.lines.filter((line) => line.includes('hardMaxLength'))).toHaveLength(1);
      expect(stream.lines[0]).toMatch(/error: Stream logs:shop .* group "etl" has not acknowledged/);

      // Before anything more is written, which would make the hard limit take more of what is not acknowledged.
      await group.acknowledgeAll();
      await stream.writeUntil('the stream to be trimmed', async () => {
        await group.acknowledgeAll();
        return (await redis.client.xlen(STREAM)) < 700;
      });
      expect(stream.writer.stats().trimmedUnacknowledged).toBe(lost);
      expect(stream.lines).toHaveLength(1);
    });
  },
);

describe('Retention that waits for groups', () => {
  it('waits for the slowest of them, and for one entry that is pending', async () => {
    await using stream = writing({ maxLength: 100, keepFor: ['etl', 'audit'], hardMaxLength: 50_000 });
    const [etl, audit] = [new Reading(redis.client), new Reading(redis.client, 'audit')];
    await etl.create();
    await audit.create();
    await stream.write(2_000);
    await etl.acknowledgeAll();
    await audit.read(2_000);
    await audit.acknowledge(audit.held.filter((_, at) => at !== 700));
    const [pending] = audit.held;
    await stream.writeUntil(
      'what both are done with to go',
      async () => (await redis.client.xlen(STREAM)) < stream.written - 500,
    );
    const [first = ''] = await ids();
    expect(compareIds(first, pending ?? '')).toBeLessThanOrEqual(0);
    await stream.writeUntil('the rest to go', async () => {
      await audit.acknowledgeAll();
      await etl.acknowledgeAll();
      return (await redis.client.xlen(STREAM)) < 300;
    });
    expect(stream.writer.stats().trimmedUnacknowledged).toBe(0);
  });

  it('keeps what is too old, too, until it is acknowledged', async () => {
    await using stream = writing({ maxAgeMs: 1, keepFor: [GROUP] });
    const group = new Reading(redis.client);
    await group.create();
    await stream.write(1_500);
    await stream.write(1_500);
    expect(await redis.client.xlen(STREAM)).toBe(3_000);
    await stream.writeUntil('what is old to go', async () => {
      await group.acknowledgeAll();
      return (await redis.client.xlen(STREAM)) < 200;
    });
  });

  it('keeps nothing for a group that does not exist, says so once, and keeps all for it when it does', async () => {
    await using stream = writing({ maxLength: 500, keepFor: [GROUP], hardMaxLength: 20_000 });
    for (let round = 0; round < 4; round++) await stream.write(1_000);
    await stream.writeUntil('the stream to be trimmed', async () => (await redis.client.xlen(STREAM)) < 700);
    expect(stream.lines).toEqual([
      expect.stringContaining('has no group "etl", which retention.keepFor names'),
    ]);
    await new Reading(redis.client).create();
    const before = await redis.client.xlen(STREAM);
    for (let round = 0; round < 3; round++) await stream.write(1_000);
    expect(await redis.client.xlen(STREAM)).toBe(before + 3_000);
    expect(stream.writer.stats().trimmedUnacknowledged).toBe(0);
    expect(stream.lines).toHaveLength(1);
  });

  it('holds the hard limit alone where the user may not ask about groups, and says why', async () => {
    await redis.client.call(
      'ACL',
      'SETUSER',
      'blind',
      'on',
      '>secret',
      ...aclRules({ role: 'producer', stream: STREAM }),
      '+xlen',
    );
    const connection = `redis://blind:secret@${redis.server.host}:${redis.server.port}`;
    await using stream = writing({ maxLength: 500, keepFor: [GROUP], hardMaxLength: 3_000 }, { connection });
    for (let round = 0; round < 5; round++) await stream.write(1_000);
    await stream.writeUntil('the hard limit to hold', async () => (await redis.client.xlen(STREAM)) < 3_200);
    expect(await redis.client.xlen(STREAM)).toBeGreaterThanOrEqual(3_000);
    expect(stream.lines).toEqual([
      expect.stringMatching(/warning: Stream logs:shop cannot be trimmed: .*NOPERM/),
      expect.stringContaining('hardMaxLength'),
    ]);
  });

  it('needs no more rights than aclRules gives to a producer with such a retention', async () => {
    const retention = { maxLength: 500, keepFor: [GROUP], hardMaxLength: 50_000, maxMemoryShare: 0.5 };
    const rules: AclOptions = { role: 'producer', stream: STREAM, retention };
    await redis.client.call('ACL', 'SETUSER', 'keeper', 'on', '>secret', ...aclRules(rules));
    await redis.client.call('ACL', 'LOG', 'RESET');
    const connection = `redis://keeper:secret@${redis.server.host}:${redis.server.port}`;
    await using stream = writing(retention, { connection });
    const group = new Reading(redis.client);
    await group.create();
    await stream.write(3_000);
    await group.read(2_000);
    await group.acknowledge(group.held.slice(0, 1_500));
    await stream.writeUntil('what is done with to go', async () => (await redis.client.xlen(STREAM)) < 2_000);
    expect(await redis.client.call('ACL', 'LOG')).toEqual([]);
    expect(stream.lines).toEqual([]);
  });
});

describe('Retention of several producers', () => {
  it('takes nothing from a slow group that is at work, and frees what it is done with', async () => {
    const retention = { maxLength: 300, keepFor: [GROUP], hardMaxLength: 1_000_000 };
    const streams = [writing(retention), writing(retention), writing(retention)];
    const handled = new Map<string, number>();
    const lines: string[] = [];
    const consumer = new LogConsumer(
      { connection: redis.url, stream: STREAM, group: GROUP, batchSize: 100, maxWaitMs: 5 },
      { diagnostics: createDiagnostics({ write: (line) => lines.push(line) }) },
    );
    const running = consumer.run((batch) => {
      for (const { key } of batch) handled.set(key, (handled.get(key) ?? 0) + 1);
    });
    await until(() => redis.client.exists(STREAM).then(Boolean), { what: 'the group' });
    let least = Infinity;
    const rounds = Array.from({ length: 8 }, (_, round) => round);
    await Promise.all(
      streams.map(async (stream) => {
        for (const round of rounds) {
          await stream.write(1_000);
          if (round > 0) least = Math.min(least, await redis.client.xlen(STREAM));
        }
      }),
    );
    await until(() => handled.size === 24_000, { what: 'all to be handled', timeoutMs: 20_000 });
    await streams[0]?.writeUntil(
      'the stream to be trimmed',
      async () => (await redis.client.xlen(STREAM)) < 600,
    );
    expect(Math.min(least, await redis.client.xlen(STREAM))).toBeGreaterThanOrEqual(300);
    await consumer.close();
    await running;
    expect([...handled.values()].every((times) => times === 1)).toBe(true);
    expect(consumer.stats()).toMatchObject({ trimmedUnread: 0, trimmedPending: 0 });
    for (const stream of streams) {
      expect(stream.writer.stats().trimmedUnacknowledged).toBe(0);
      expect(stream.lines).toEqual([]);
      await stream.writer.close();
    }
    expect(lines).toEqual([]);
  });
});

describe('Retention where scripts are refused', () => {
  it('does the same by plain commands', async () => {
    const retention = { maxLength: 500, keepFor: [GROUP], hardMaxLength: 50_000 };
    const rules = aclRules({ role: 'producer', stream: STREAM, retention, delivery: 'at-least-once' });
    await redis.client.call('ACL', 'SETUSER', 'plain', 'on', '>secret', ...rules);
    const connection = `redis://plain:secret@${redis.server.host}:${redis.server.port}`;
    await using stream = writing(retention, { connection });
    const group = new Reading(redis.client);
    await group.create();
    await stream.write(3_000);
    expect(stream.writer.stats().delivery).toBe('at-least-once');
    expect(await redis.client.xlen(STREAM)).toBe(3_000);
    await stream.writeUntil('the stream to be trimmed', async () => {
      await group.acknowledgeAll();
      return (await redis.client.xlen(STREAM)) < 700;
    });
    expect(await redis.client.xlen(STREAM)).toBeGreaterThanOrEqual(500);
    expect(stream.writer.stats().trimmedUnacknowledged).toBe(0);
    expect(stream.lines.filter((line) => /trimmed|retention/.test(line))).toEqual([]);
  });
});

describe('Retention by a share of memory', () => {
  it.each(['exactly-once', 'at-least-once'] as const)(
    'keeps as much as that share holds (%s)',
    async (delivery) => {
      await redis.client.config('SET', 'maxmemory', '256mb');
      await using stream = writing({ maxMemoryShare: 0.002 }, { delivery });
      const limit = 0.002 * 256 * 1_048_576;
      for (let round = 0; round < 10; round++) await stream.write(1_000);
      const bytes = Number(await redis.client.memory('USAGE', STREAM));
      expect(bytes).toBeLessThan(limit * 1.8);
      expect(bytes).toBeGreaterThan(limit * 0.4);
      expect(await redis.client.xlen(STREAM)).toBeLessThan(stream.written * 0.7);
      expect(stream.lines).toEqual([]);
    },
  );
});

describe('Retention by length and age alone', () => {
  it('asks the server nothing that it did not ask before', async () => {
    await redis.client.config('RESETSTAT');
    await using stream = writing({ maxLength: 500, maxAgeMs: 60_000 });
    for (let round = 0; round < 3; round++) await stream.write(1_000);
    const stats = await redis.client.info('commandstats');
    expect(stats).toMatch(/cmdstat_xtrim:/);
    expect(stats).not.toMatch(/cmdstat_(xlen|xpending|xinfo\|groups|memory\|usage|info):calls=(?!1,)/);
    expect(await redis.client.xlen(STREAM)).toBeLessThan(700);
  });
});
