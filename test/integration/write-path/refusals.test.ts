import { describe, expect, it } from 'vitest';
import { type LogStats, RedisLogWriter } from '../../../src/core.js';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { fasterRuntime } from '../../support/faster-runtime.js';
import {
  resp,
  type ScriptedCommand,
  type ScriptedRespServer,
  startScriptedRespServer,
} from '../../support/scripted-resp-server.js';
import { until } from '../../support/until.js';

const QUOTA = 'ERR max daily request limit exceeded';
const BATCH = 50;

/** What happens to a write: an error of the server's, or nothing, and it is stored. */
type Fate = (command: ScriptedCommand & { readonly body: string }) => string | undefined;

interface World extends AsyncDisposable {
  readonly server: ScriptedRespServer;
  readonly writer: RedisLogWriter;
  readonly lines: string[];
  /** Bodies that are stored, in order. */
  readonly stored: string[];
  fate: Fate;
  emit(...bodies: string[]): void;
}

const WRITES = new Set(['HSETNX', 'ZADD', 'XTRIM', 'XADD']);

async function world(fate: Fate): Promise<World> {
  const stored: string[] = [];
  const lines: string[] = [];
  const server = await startScriptedRespServer((command) => {
    const { name, args } = command;
    if (!WRITES.has(name)) return undefined;
    const body = name === 'XADD' ? (args[args.indexOf('body') + 1] ?? '') : '';
    const error = made.fate({ ...command, body });
    if (error !== undefined) return resp.error(error);
    if (name !== 'XADD') return resp.value(0);
    stored.push(body);
    return resp.value(`1800000000000-${stored.length}`);
  });
  const writer = new RedisLogWriter(
    {
      connection: server.url,
      service: { name: 'refused' },
      stream: 'refused',
      delivery: 'at-least-once',
      batch: { maxRecords: BATCH },
      shutdownTimeoutMs: 200,
    },
    {
      diagnostics: createDiagnostics({ write: (line) => lines.push(line) }),
      runtime: { ...fasterRuntime(10), random: () => 0 },
    },
  );
  const made: World = {
    server,
    writer,
    lines,
    stored,
    fate,
    emit: (...bodies) => bodies.forEach((body) => writer.emit({ body, severityNumber: 9 })),
    async [Symbol.asyncDispose]() {
      await writer.close();
      await server.close();
    },
  };
  return made;
}

function numbered(count: number, from = 0): string[] {
  return Array.from({ length: count }, (_, at) => `r${from + at}`);
}

function timesSent({ server }: World, body: string): number {
  return server.received('XADD').filter(({ args }) => args.includes(body)).length;
}

function settled({ writer }: World): Promise<LogStats> {
  return until(
    () => {
      const stats = writer.stats();
      return stats.queued + stats.inFlight === 0 ? stats : undefined;
    },
    { timeoutMs: 10_000, what: 'an outcome for every record' },
  );
}

describe('A server that refuses records at-least-once, and does not say why', () => {
  it('gets all of them, in order and once, when it refuses everything for a while, as with a quota', async () => {
    await using on = await world(() => undefined);
    on.emit('first');
    await settled(on);
    on.fate = () => QUOTA;
    for (let at = 0; at < 20; at++) {
      on.emit(...numbered(BATCH, at * BATCH));
      await until(() => timesSent(on, `r0`) > at);
    }
    expect(on.writer.stats()).toMatchObject({ delivered: 1, dropped: {}, possibleDuplicates: 0 });
    // Memory of batches is bounded: most of it waits in the queue, under its rules.
    expect(on.writer.stats().inFlight).toBeLessThanOrEqual(5 * BATCH);
    expect(on.writer.health()).toMatchObject({ status: 'degraded', reason: 'refused', error: 'ERR' });
    expect(on.lines.filter((line) => line.includes('Records wait until that is mended'))).toHaveLength(1);
    expect(on.lines.join('\n')).not.toContain('set aside');
    on.fate = () => undefined;
    const stats = await settled(on);
    expect(stats).toMatchObject({ delivered: 20 * BATCH + 1, dropped: {} });
    expect(stats.retried).toBeGreaterThanOrEqual(20 * BATCH);
    expect(on.stored).toEqual(['first', ...numbered(20 * BATCH)]);
    expect(on.lines.filter((line) => line.includes('stored again'))).toHaveLength(1);
  });

  it('gets all of them when it begins to refuse in the middle of a batch', async () => {
    let left = 20;
    await using on = await world(() => (left-- > 0 ? undefined : QUOTA));
    on.emit(...numbered(BATCH));
    await until(() => timesSent(on, 'r49') > 6);
    expect(on.writer.stats().dropped).toEqual({});
    on.fate = () => undefined;
    expect(await settled(on)).toMatchObject({ delivered: BATCH, dropped: {} });
    expect(on.stored).toEqual(numbered(BATCH));
  });

  it('gets all of them when it takes so many writes a moment and refuses the rest', async () => {
    let budget = 10;
    await using on = await world(() => (budget-- > 0 ? undefined : QUOTA));
    const refill = setInterval(() => (budget = 25), 20);
    on.emit(...numbered(10 * BATCH));
    const stats = await settled(on).finally(() => clearInterval(refill));
    expect(stats).toMatchObject({ delivered: 10 * BATCH, dropped: {} });
    expect(on.stored.toSorted()).toEqual(numbered(10 * BATCH).toSorted());
  });

  it('loses no more than the record that it never takes, after three tries; its neighbours are sent once', async () => {
    await using on = await world(({ body }) =>
      body === 'r7' || body === 'r9' ? 'ERR not this one' : undefined,
    );
    on.emit(...numbered(BATCH));
    const stats = await settled(on);
    expect(stats).toMatchObject({ delivered: BATCH - 2, dropped: { rejected: 2 }, retried: 4 });
    expect(numbered(BATCH).map((body) => timesSent(on, body))).toEqual(
      numbered(BATCH).map((body) => (body === 'r7' || body === 'r9' ? 3 : 1)),
    );
    expect(on.lines.filter((line) => line.includes('it is set aside, the others go on'))).toHaveLength(1);
  });

  it('keeps a record that it refuses for as long as nothing else comes, and what comes later goes through', async () => {
    await using on = await world(({ body }) => (body === 'bad' ? 'ERR not this one' : undefined));
    on.emit('bad');
    await until(() => timesSent(on, 'bad') > 5);
    expect(on.writer.stats()).toMatchObject({ inFlight: 1, dropped: {} });
    on.emit('good');
    expect(await settled(on)).toMatchObject({ delivered: 1, dropped: { rejected: 1 } });
    expect(on.stored).toEqual(['good']);
  });

  it('keeps all records of a stream of which it takes none, though it takes other writes', async () => {
    await using on = await world(({ name }) => (name === 'XADD' ? 'ERR no more ids' : undefined));
    for (let at = 0; at < 8; at++) {
      on.emit(...numbered(BATCH, at * BATCH));
      await until(() => timesSent(on, 'r0') > 2 * at);
    }
    expect(on.writer.stats()).toMatchObject({ emitted: 8 * BATCH, delivered: 0, dropped: {} });
    on.fate = () => undefined;
    expect(await settled(on)).toMatchObject({ delivered: 8 * BATCH, dropped: {} });
    expect(on.stored).toEqual(numbered(8 * BATCH));
  });

  it('says which key it cannot write beside the records, and does not call that trimming', async () => {
    await using on = await world(({ name }) => (name === 'HSETNX' ? 'OOM command not allowed' : undefined));
    on.emit('r0');
    await settled(on);
    expect(on.lines.join('\n')).toContain(
      'its key of resources cannot be written (hsetnx, zadd): ReplyError OOM',
    );
    expect(on.lines.join('\n')).not.toContain('trimmed');
  });
});
