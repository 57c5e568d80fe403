import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemRuntime } from '../../../src/pipeline/runtime.js';
import { Acknowledgement } from '../../../src/redis/acknowledgement.js';
import { RedisConnection } from '../../../src/redis/connection.js';
import {
  NO_REPLY,
  resp,
  type ScriptedReply,
  type ScriptedRespServer,
  startScriptedRespServer,
} from '../../support/scripted-resp-server.js';
import { until } from '../../support/until.js';

let server: ScriptedRespServer;
let connection: RedisConnection;
let replies: ScriptedReply[];

beforeEach(async () => {
  replies = [];
  server = await startScriptedRespServer(({ name }) =>
    name.startsWith('WAIT') ? replies.shift() : undefined,
  );
  connection = new RedisConnection(server.url, {
    settings: { connectTimeoutMs: 1_000, connectionName: 'test' },
    runtime: systemRuntime,
    events: { state: () => {} },
  });
  connection.connect();
  await until(() => connection.state === 'ready');
});

afterEach(async () => {
  connection.close();
  await server.close();
});

function acknowledgement(kind: 'replicated' | 'fsynced'): Acknowledgement {
  return new Acknowledgement({ connection, kind, sendTimeoutMs: 1_000, runtime: systemRuntime });
}

describe('acknowledge', () => {
  it('asks for one replica, within half the time that a send may take', async () => {
    replies = [resp.value(2)];
    await expect(acknowledgement('replicated').confirm()).resolves.toBeUndefined();
    expect(server.received('WAIT').map(({ args }) => args)).toEqual([['1', '500']]);
  });

  it('asks for the local disk alone when records are to be fsynced', async () => {
    replies = [resp.value([1, 0])];
    await expect(acknowledgement('fsynced').confirm()).resolves.toBeUndefined();
    expect(server.received('WAITAOF').map(({ args }) => args)).toEqual([['1', '0', '500']]);
  });

  it.each([
    ['replicated', resp.value(0), 'UNCONFIRMED: no replica has confirmed'],
    ['fsynced', resp.value([0, 3]), "UNCONFIRMED: the server's disk has not confirmed"],
    [
      'fsynced',
      resp.error("ERR unknown command 'WAITAOF', with args"),
      'UNSUPPORTED: this server has no WAITAOF',
    ],
    [
      'fsynced',
      resp.error('ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.'),
      'NOAOF: acknowledge: "fsynced" needs an append-only file',
    ],
    ['replicated', resp.error("NOPERM User x has no permissions to run the 'wait' command"), 'NOPERM: '],
  ] as const)('says what is wrong: %s, %j', async (kind, reply, said) => {
    replies = [reply];
    const failure = await acknowledgement(kind).confirm();
    expect(failure).toMatchObject({ kind: 'circuit', persisted: 'possibly' });
    expect(`${failure?.token}: ${failure?.text}`).toContain(said);
  });

  it('asks once for all that was sent before, and once more for what came meanwhile', async () => {
    const asking = acknowledgement('replicated');
    replies = [NO_REPLY, resp.value(1)];
    const first = [asking.confirm(), asking.confirm(), asking.confirm()];
    await until(() => server.received('WAIT').length === 1);
    const second = [asking.confirm(), asking.confirm()];
    expect(server.received('WAIT')).toHaveLength(1);
    server.push(resp.value(1));
    await expect(Promise.all(first)).resolves.toEqual([undefined, undefined, undefined]);
    await expect(Promise.all(second)).resolves.toEqual([undefined, undefined]);
    expect(server.received('WAIT')).toHaveLength(2);
  });

  it('takes no answer of a new connection for what was sent on the old one', async () => {
    const asking = acknowledgement('replicated');
    replies = [NO_REPLY, resp.value(1)];
    const old = asking.confirm().catch((error: unknown) => error);
    await until(() => server.received('WAIT').length === 1);
    const waiting = asking.confirm().catch((error: unknown) => error);
    connection.reset(new Error('gone'));
    await until(() => connection.state === 'ready');
    expect(await old).toBeInstanceOf(Error);
    expect(await waiting).toBeInstanceOf(Error);
    await expect(asking.confirm()).resolves.toBeUndefined();
  });

  it('asks a connection only once whether it can confirm anything', async () => {
    const asking = acknowledgement('replicated');
    replies = [resp.value(0), resp.value(1)];
    expect(await asking.refusal()).toMatchObject({ token: 'UNCONFIRMED' });
    expect(await asking.refusal()).toBeUndefined();
    expect(await asking.refusal()).toBeUndefined();
    expect(server.received('WAIT')).toHaveLength(2);
  });
});
