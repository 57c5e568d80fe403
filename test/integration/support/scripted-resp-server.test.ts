import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RespCommandParser } from '../../support/resp-parser.js';
import {
  NO_REPLY,
  resp,
  type ScriptedRespServer,
  startScriptedRespServer,
} from '../../support/scripted-resp-server.js';
import { until } from '../../support/until.js';

describe('the scripted server', () => {
  let server: ScriptedRespServer;
  let client: Redis;

  beforeEach(async () => {
    server = await startScriptedRespServer(() => undefined);
    client = new Redis({
      port: server.port,
      host: server.host,
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
    });
    client.on('error', () => {});
  });

  afterEach(async () => {
    client.disconnect();
    await server.close();
  });

  it('lets ioredis connect without any help of the script', async () => {
    expect(await client.ping()).toBe('PONG');
  });

  it('replies with values of every kind', async () => {
    server.script = ({ name }) => (name === 'XADD' ? resp.value(['1-0', 7, null, ['ä']]) : undefined);

    expect(await client.xadd('logs', '*', 'name', 'value')).toEqual(['1-0', 7, null, ['ä']]);
    expect(server.received('XADD').map(({ args }) => args)).toEqual([['logs', '*', 'name', 'value']]);
  });

  it('replies with errors', async () => {
    server.script = ({ name }) => (name === 'XADD' ? resp.error('MISCONF no disk') : undefined);

    await expect(client.xadd('logs', '*', 'a', 'b')).rejects.toThrow('MISCONF no disk');
  });

  it('replies with raw bytes, in pieces', async () => {
    server.script = ({ name }) => (name === 'GET' ? '$5\r\nhel' : undefined);
    const answer = client.get('key');
    await until(() => server.received('GET').length === 1);
    server.push('lo\r\n');

    expect(await answer).toBe('hello');
  });

  it('can leave a command without an answer', async () => {
    server.script = ({ name }) => (name === 'GET' ? NO_REPLY : undefined);
    const silent = new Redis({ port: server.port, host: server.host, commandTimeout: 50 });

    await expect(silent.get('key')).rejects.toThrow(/timed out/i);
    silent.disconnect();
  });

  it.each(['close', 'reset'] as const)(
    'can end the connection by %s in the middle of a reply',
    async (end) => {
      server.script = ({ name }) => (name === 'GET' ? { end, after: '$5\r\nhel' } : undefined);

      await expect(client.get('key')).rejects.toThrow(/closed|flushed|max retries/i);
      expect(server.connections).toBe(1);
    },
  );

  it('keeps the bytes of a binary argument', async () => {
    server.script = ({ name }) => (name === 'SET' ? resp.ok : undefined);
    const bytes = Buffer.from([0, 13, 10, 255]);
    await client.set('key', bytes);

    expect(server.received('SET')[0]?.rawArgs[1]).toEqual(bytes);
  });
});

describe('the parser of commands', () => {
  it('puts commands together whatever the pieces they come in', () => {
    const bytes = Buffer.from('*2\r\n$3\r\nGET\r\n$5\r\nk\r\ney\r\n*1\r\n$4\r\nPING\r\n');
    const parser = new RespCommandParser();
    const commands = [...bytes].flatMap((byte) => parser.push(Buffer.of(byte)));

    expect(commands.map((args) => args.map(String))).toEqual([['GET', 'k\r\ney'], ['PING']]);
  });

  it('says what it found where a command was due', () => {
    expect(() => new RespCommandParser().push(Buffer.from('GET key\r\n'))).toThrow(/"GET key"/);
  });
});
