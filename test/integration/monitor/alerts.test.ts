import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Alert, defaultAlertRules, type StreamMonitorOptions } from 'nestjs-redis-log/monitor';
import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { useRedisServer } from '../../support/use-redis-server.js';
import { add, GROUP, read, STREAM, TestClock, watching } from './support.js';

const redis = useRedisServer();
const MINUTE = 60_000;

interface Watched {
  /** A sample so many minutes later; what was told meanwhile, as `rule state`. */
  after(minutes: number): Promise<string[]>;
  readonly told: Alert[];
}

async function withRule(
  name: string,
  work: (watched: Watched) => Promise<void>,
  options: StreamMonitorOptions = {},
): Promise<void> {
  const told: Alert[] = [];
  const rules = defaultAlertRules().filter((rule) => rule.name === name);
  expect(rules).toHaveLength(1);
  const runtime = new TestClock();
  const alerts = { rules, notify: (alert: Alert) => void told.push(alert) };
  const { connection = redis.url } = options;
  await using monitor = watching(connection, { window: 2, alerts, ...options }, { runtime });
  const after = async (minutes: number): Promise<string[]> => {
    const before = told.length;
    runtime.nowMs += minutes * MINUTE;
    await monitor.sample();
    return told.slice(before).map(({ rule, state }) => `${rule} ${state}`);
  };
  await work({ after, told });
}

async function groupWith(count: number, from = '0'): Promise<string[]> {
  await redis.client.xgroup('CREATE', STREAM, GROUP, from, 'MKSTREAM');
  return add(redis.client, count);
}

/** Entries from so long ago that reading them now means being that far behind. */
async function addFromThePast(minutes: number, count: number): Promise<void> {
  const start = Date.now() - minutes * MINUTE;
  for (let index = 0; index < count; index++) await redis.client.xadd(STREAM, `${start}-${index}`, 'a', 'b');
}

describe('Each default alert fires, does not repeat, and is resolved', () => {
  it('LogsLosing, at once', () =>
    withRule('LogsLosing', async ({ after, told }) => {
      await groupWith(10);
      await read(redis.client, 2);
      expect(await after(0)).toEqual([]);
      await redis.client.xtrim(STREAM, 'MAXLEN', 3);
      expect(await after(0)).toEqual(['LogsLosing firing']);
      expect(await after(10)).toEqual([]);
      expect(told[0]).toMatchObject({
        severity: 'critical',
        subject: { stream: STREAM, group: GROUP },
        text: `Group ${GROUP} of ${STREAM} lost 5 entries to trimming`,
      });
      expect(told[0]?.whatToDo).toMatch(/raise retention.maxLength/);
      await read(redis.client, 10);
      for (let samples = 0; samples < 3; samples++) expect(await after(0)).toEqual([]);
      expect(await after(0)).toEqual(['LogsLosing resolved']);
      expect(await after(1)).toEqual([]);
    }));

  it.each(['LogsLosing', 'RetentionAlmostFull'])('%s, once for a group that loses again and again', (name) =>
    withRule(name, async ({ after }) => {
      const { client } = redis;
      await client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
      await read(client, 1);
      const seen: string[] = [];
      // Twice as much comes as is read, and it is read in batches: at times entries are lost, at times fewer wait.
      for (let round = 0; round < 60; round++) {
        for (let entry = 0; entry < 10; entry++) await client.xadd(STREAM, 'MAXLEN', '=', 100, '*', 'a', 'b');
        if (round % 4 === 3) await read(client, 20);
        seen.push(...(await after(0)));
      }
      expect(seen).toEqual([`${name} firing`]);
      const ids = (await client.xrange(STREAM, '-', '+')).map(([id]) => id);
      await client.xack(STREAM, GROUP, ...(await read(client, 100)), ...ids);
      await client.xgroup('DESTROY', STREAM, GROUP);
      expect(await after(0)).toEqual([`${name} resolved`]);
    }),
  );

  it.each([
    ['TimeBehind', 2, 2],
    ['TimeFarBehind', 6, 5],
  ])('%s, when the oldest entry that waits is %i minutes old for %i minutes', (name, age, minutes) =>
    withRule(name, async ({ after }) => {
      await redis.client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
      await addFromThePast(age, 5);
      await read(redis.client, 1);
      expect(await after(0)).toEqual([]);
      expect(await after(minutes - 0.1)).toEqual([]);
      expect(await after(0.1)).toEqual([`${name} firing`]);
      expect(await after(20)).toEqual([]);
      await read(redis.client, 10);
      expect(await after(0)).toEqual([`${name} resolved`]);
    }),
  );

  it('a condition that goes away in time is not told at all, and begins anew', () =>
    withRule('TimeBehind', async ({ after }) => {
      await redis.client.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
      await addFromThePast(3, 5);
      expect(await after(0)).toEqual([]);
      await read(redis.client, 10);
      expect(await after(1.5)).toEqual([]);
      await redis.client.xgroup('SETID', STREAM, GROUP, '0');
      expect(await after(1.5)).toEqual([]);
      expect(await after(1.9)).toEqual([]);
      expect(await after(0.1)).toEqual(['TimeBehind firing']);
    }));

  it('Stalled', () =>
    withRule('Stalled', async ({ after }) => {
      await groupWith(3);
      await read(redis.client, 1);
      expect(await after(0)).toEqual([]);
      expect(await after(0)).toEqual([]);
      expect(await after(1)).toEqual(['Stalled firing']);
      expect(await after(1)).toEqual([]);
      await read(redis.client, 1);
      expect(await after(0)).toEqual(['Stalled resolved']);
    }));

  it('NoConsumer, and is resolved too when the group is gone', () =>
    withRule('NoConsumer', async ({ after }) => {
      await groupWith(3);
      expect([...(await after(0)), ...(await after(1)), ...(await after(1))]).toEqual(['NoConsumer firing']);
      await redis.client.xgroup('DESTROY', STREAM, GROUP);
      expect(await after(0)).toEqual(['NoConsumer resolved']);
    }));

  it('OldestPending', () =>
    withRule('OldestPending', async ({ after, told }) => {
      const [first = ''] = await groupWith(3);
      await read(redis.client, 3);
      expect(await after(0)).toEqual([]);
      await redis.client.xclaim(STREAM, GROUP, 'c1', 0, first, 'IDLE', 5 * MINUTE + 1);
      expect([...(await after(0)), ...(await after(1))]).toEqual(['OldestPending firing']);
      expect(told[0]?.text).toMatch(/holds an entry for 5 min without acknowledging it/);
      await redis.client.xack(STREAM, GROUP, first);
      expect(await after(0)).toEqual(['OldestPending resolved']);
    }));

  it.each([
    ['RetentionFilling', 80, 1],
    ['RetentionAlmostFull', 95, 0],
  ])('%s, at %i of 100', (name, entries, minutes) =>
    withRule(
      name,
      async ({ after }) => {
        await groupWith(entries);
        await read(redis.client, 10);
        expect([...(await after(0)), ...(await after(minutes)), ...(await after(5))]).toEqual([
          `${name} firing`,
        ]);
        const all = [
          ...(await read(redis.client, 100)),
          ...(await redis.client.xrange(STREAM, '-', '+')).map(([id]) => id),
        ];
        await redis.client.xack(STREAM, GROUP, ...all);
        expect(await after(0)).toEqual([`${name} resolved`]);
      },
      { retention: { maxLength: 100 } },
    ),
  );

  it('StreamUnreadable', () =>
    withRule('StreamUnreadable', async ({ after, told }) => {
      await redis.client.set(STREAM, 'no stream');
      expect([...(await after(0)), ...(await after(1)), ...(await after(1))]).toEqual([
        'StreamUnreadable firing',
      ]);
      expect(told[0]?.text).toMatch(/cannot be read: .*WRONGTYPE/);
      await redis.client.del(STREAM);
      expect(await after(0)).toEqual(['StreamUnreadable resolved']);
    }));

  it('DeadLetters, while there are new ones within 5 minutes', () =>
    withRule('DeadLetters', async ({ after, told }) => {
      const deadLetters = `{${STREAM}}:dlq`;
      await groupWith(1);
      await redis.client.xadd(deadLetters, '*', 'a', 'old');
      expect(await after(0)).toEqual([]);
      await redis.client.xadd(deadLetters, '*', 'a', 'new');
      expect([...(await after(0)), ...(await after(0))]).toEqual(['DeadLetters firing']);
      expect(told[0]?.text).toBe(`Stream ${STREAM} got new dead letters within 5 minutes: 1`);
      await redis.client.xtrim(deadLetters, 'MAXLEN', 0);
      expect(await after(0)).toEqual(['DeadLetters resolved']);
    }));

  it('ProducerDrops, by what the producer says in its guard, and is resolved after 5 minutes without', () =>
    withRule(
      'ProducerDrops',
      async ({ after, told }) => {
        const guard = `{${STREAM}}:guard:p1`;
        const write = async (seq: number, shed: number): Promise<void> => {
          await redis.client.xadd(STREAM, '*', 'producer', 'p1', 'seq', seq);
          await redis.client.set(guard, `${seq} 0 ${shed} 1`);
        };
        await write(1, 7);
        expect(await after(0)).toEqual([]);
        await write(2, 7);
        expect(await after(0)).toEqual([]);
        await write(3, 10);
        expect([...(await after(0)), ...(await after(1)), ...(await after(3))]).toEqual([
          'ProducerDrops firing',
        ]);
        expect(told[0]?.text).toMatch(/^10 records were dropped .* of producer p1/);
        expect(await after(5)).toEqual(['ProducerDrops resolved']);
      },
      { gaps: true },
    ));

  it('RecordsMissing, when numbers are missing that the producer holds for stored', () =>
    withRule(
      'RecordsMissing',
      async ({ after, told }) => {
        await redis.client.xadd(STREAM, '*', 'producer', 'p1', 'seq', 1);
        await redis.client.set(`{${STREAM}}:guard:p1`, '1 0 0 1');
        expect(await after(0)).toEqual([]);
        await redis.client.xadd(STREAM, '*', 'producer', 'p1', 'seq', 2);
        expect(await after(0)).toEqual([]);
        await redis.client.xadd(STREAM, '*', 'producer', 'p1', 'seq', 6);
        await redis.client.set(`{${STREAM}}:guard:p1`, '6 1 0 1');
        expect([...(await after(0)), ...(await after(1))]).toEqual(['RecordsMissing firing']);
        expect(told[0]).toMatchObject({ subject: { stream: STREAM, producer: 'p1' } });
        expect(told[0]?.text).toMatch(/^2 records were stored and are missing/);
        expect(await after(6)).toEqual(['RecordsMissing resolved']);
      },
      { gaps: true },
    ));

  it('RedisMemory, at more than 80 % of maxmemory for 5 minutes', () =>
    withRule('RedisMemory', async ({ after }) => {
      await groupWith(1);
      expect(await after(0)).toEqual([]);
      const used = Number(/used_memory:(\d+)/.exec(await redis.client.info('memory'))?.[1]);
      await redis.client.config('SET', 'maxmemory', Math.round(used * 1.1));
      try {
        expect([...(await after(0)), ...(await after(5)), ...(await after(5))]).toEqual([
          'RedisMemory firing',
        ]);
      } finally {
        await redis.client.config('SET', 'maxmemory', 0);
      }
      expect(await after(0)).toEqual(['RedisMemory resolved']);
    }));

  it('RedisEvicts, and is resolved after a minute without evictions', async () => {
    await using server = await startRedisServer({ config: ['maxmemory-policy allkeys-lru'] });
    const client = server.client();
    await add(client, 1);
    await withRule(
      'RedisEvicts',
      async ({ after, told }) => {
        expect(await after(0)).toEqual([]);
        const used = Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]);
        await client.config('SET', 'maxmemory', used + 2_000_000);
        for (let index = 0; index < 40; index++) await client.set(`filler${index}`, 'x'.repeat(100_000));
        expect([...(await after(0)), ...(await after(0.5))]).toEqual(['RedisEvicts firing']);
        expect(told[0]?.text).toMatch(/evicted \d+ keys \(allkeys-lru\)/);
        expect(await after(1)).toEqual(['RedisEvicts resolved']);
      },
      { connection: server.url },
    );
  });

  it('RedisPersistence', async () => {
    // A file that stands where a directory would have to be, so that saving fails.
    await using server = await startRedisServer({ config: ['dbfilename x.rdb'] });
    const client = server.client();
    await add(client, 1);
    await withRule(
      'RedisPersistence',
      async ({ after }) => {
        expect(await after(0)).toEqual([]);
        const [, directory = ''] = (await client.config('GET', 'dir')) as string[];
        const { mkdir, rm } = await import('node:fs/promises');
        await mkdir(`${directory}/x.rdb`);
        await client.bgsave();
        await until(async () => (await client.info('persistence')).includes('rdb_last_bgsave_status:err'));
        expect([...(await after(0)), ...(await after(1)), ...(await after(1))]).toEqual([
          'RedisPersistence firing',
        ]);
        await rm(`${directory}/x.rdb`, { recursive: true });
        await client.bgsave();
        await until(async () => (await client.info('persistence')).includes('rdb_last_bgsave_status:ok'));
        expect(await after(0)).toEqual(['RedisPersistence resolved']);
      },
      { connection: server.url },
    );
  });
});

describe('Alerts are told', () => {
  it('by webhook, again after a refusal, with the headers given and as JSON', async () => {
    const bodies: { text: string; rule: string; state: string }[] = [];
    const tokens: (string | undefined)[] = [];
    let refusals = 2;
    const server = createServer((req, res) => {
      void textOf(req).then((text) => {
        if (refusals-- > 0) return void res.writeHead(503).end();
        tokens.push(req.headers.authorization);
        bodies.push(JSON.parse(text) as (typeof bodies)[number]);
        res.writeHead(204).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=secret`;
    try {
      const rules = defaultAlertRules().filter(({ name }) => name === 'LogsLosing');
      const webhook = { url, headers: { authorization: 'Bearer secret' } };
      await using monitor = watching(redis.url, { alerts: { rules, webhook } });
      await groupWith(10);
      await read(redis.client, 2);
      await redis.client.xtrim(STREAM, 'MAXLEN', 3);
      await monitor.sample();
      expect(monitor.firing.map(({ rule }) => rule)).toEqual(['LogsLosing']);
      await read(redis.client, 10);
      await until(async () => (await monitor.sample()) && monitor.firing.length === 0);
      await until(() => bodies.length === 2, { timeoutMs: 10_000 });
      expect(bodies.map(({ rule, state }) => `${rule} ${state}`)).toEqual([
        'LogsLosing firing',
        'LogsLosing resolved',
      ]);
      expect(bodies[0]?.text).toMatch(
        /^CRITICAL LogsLosing: Group etl of logs:shop lost 5 entries to trimming\. /,
      );
      expect(tokens).toEqual(['Bearer secret', 'Bearer secret']);
    } finally {
      server.close();
    }
  });

  it('on stderr by default, and a webhook that fails is told without its URL or headers', async () => {
    const lines: string[] = [];
    const diagnostics = createDiagnostics({ write: (line) => lines.push(line) });
    const rules = defaultAlertRules().filter(({ name }) => name === 'LogsLosing');
    await groupWith(10);
    await read(redis.client, 2);
    await redis.client.xtrim(STREAM, 'MAXLEN', 3);
    await using logging = watching(redis.url, { alerts: { rules } }, { diagnostics });
    await logging.sample();
    expect(lines).toEqual([expect.stringMatching(/error: CRITICAL LogsLosing: .* Add consumers now/)]);
    const url = 'http://user:secret@127.0.0.1:1/hook?token=secret';
    const webhook = { url, headers: { 'x-token': 'secret' }, retries: 0 };
    await using posting = watching(redis.url, { alerts: { rules, webhook } }, { diagnostics });
    await posting.sample();
    await until(() => lines.length === 2);
    expect(lines[1]).toMatch(/webhook did not take the alert LogsLosing/);
    expect(lines.join('\n')).not.toContain('secret');
  });

  it('to every listener, even when another one or a rule throws', async () => {
    const told: string[] = [];
    const broken = {
      name: 'Broken',
      severity: 'warn',
      forMs: 0,
      evaluate: () => {
        throw new Error('broken');
      },
    } as const;
    const mine = {
      name: 'Mine',
      severity: 'info',
      forMs: 0,
      evaluate: () => [{ subject: {}, isBad: true, text: 'seen', whatToDo: 'Nothing.' }],
    } as const;
    const notify = (): void => {
      throw new Error('no');
    };
    await using monitor = watching(redis.url, { alerts: { rules: [broken, mine], notify } });
    monitor.onAlert(({ rule }) => told.push(rule));
    await monitor.sample();
    await monitor.sample();
    expect(told).toEqual(['Mine']);
  });

  it('to a listener by the default rules where no alerts were asked for, and never where they were turned off', async () => {
    const lines: string[] = [];
    const diagnostics = createDiagnostics({ write: (line) => lines.push(line) });
    await groupWith(10);
    await read(redis.client, 2);
    await redis.client.xtrim(STREAM, 'MAXLEN', 3);
    const told: string[] = [];
    await using listening = watching(redis.url, {}, { diagnostics });
    const end = listening.onAlert(({ rule, state }) => told.push(`${rule} ${state}`));
    await listening.sample();
    expect(told).toEqual(['LogsLosing firing']);
    expect(listening.firing).toHaveLength(1);
    end();
    await using silent = watching(redis.url, { alerts: false }, { diagnostics });
    silent.onAlert(() => told.push('silent'));
    await silent.sample();
    await using alone = watching(redis.url, {}, { diagnostics });
    await alone.sample();
    expect([told.length, silent.firing.length, alone.firing.length, lines.length]).toEqual([1, 0, 0, 0]);
  });
});

async function textOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
