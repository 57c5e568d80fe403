import { RedisLogWriter } from 'nestjs-redis-log/core';
import { describe, expect, it } from 'vitest';
import {
  NO_REPLY,
  resp,
  type Script,
  type ScriptedRespServer,
  startScriptedRespServer,
} from '../../support/scripted-resp-server.js';
import { until } from '../../support/until.js';

const RECORDS = 40;
/** Records that get their reply before something happens. */
const ANSWERED = 17;

/** Stores everything but what `fate` has something else for: each XADD of the first connection that brings any. */
function xadds(fate: (place: number) => ReturnType<Script>): Script {
  let place = 0;
  let ids = 0;
  let faulty: number | undefined;
  let isSilent = false;
  return ({ name, connection }) => {
    if (isSilent && connection === faulty) return NO_REPLY;
    if (name === 'HSETNX' || name === 'ZADD' || name === 'XTRIM') return resp.value(0);
    if (name !== 'XADD') return undefined;
    faulty ??= connection;
    const told = connection === faulty ? fate(place++) : undefined;
    isSilent = told !== undefined && typeof told !== 'string';
    return told ?? resp.value(`1800000000000-${ids++}`);
  };
}

function writerTo(server: ScriptedRespServer): RedisLogWriter {
  return new RedisLogWriter({
    connection: server.url,
    service: { name: 'plain' },
    stream: 'plain',
    delivery: 'at-least-once',
    sendTimeoutMs: 400,
  });
}

/** How often each record was sent. */
function timesSent(server: ScriptedRespServer): number[] {
  const times = Array.from({ length: RECORDS }, () => 0);
  for (const { args } of server.received('XADD')) {
    const record = Number(args[args.indexOf('body') + 1]?.slice('record '.length));
    times[record] = (times[record] ?? 0) + 1;
  }
  return times;
}

async function logAll(writer: RedisLogWriter): Promise<void> {
  for (let i = 0; i < RECORDS; i++) writer.emit({ body: `record ${i}` });
  await until(() => writer.stats().queued === 0 && writer.stats().inFlight === 0, { timeoutMs: 10_000 });
}

describe('Of a batch of plain commands every record is judged by its own reply', () => {
  it('one that the server cannot take is set aside, and its neighbours are stored once', async () => {
    const wrong = resp.error("ERR wrong number of arguments for 'xadd' command");
    const script = xadds((place) => (place === ANSWERED ? wrong : undefined));
    await using server = await startScriptedRespServer(script);
    await using writer = writerTo(server);
    await logAll(writer);
    expect(writer.stats()).toMatchObject({ delivered: RECORDS - 1, dropped: { rejected: 1 } });
    expect(timesSent(server)).toEqual(Array.from({ length: RECORDS }, () => 1));
  });

  it.each([
    ['the connection ends', { end: 'close', after: '' }],
    ['the server falls silent', NO_REPLY],
  ] as const)('when %s in the middle, only those without a reply are sent again', async (_, end) => {
    const script = xadds((place) => (place < ANSWERED ? undefined : end));
    await using server = await startScriptedRespServer(script);
    await using writer = writerTo(server);
    await logAll(writer);
    expect(server.connections).toBeGreaterThan(1);
    expect(writer.stats()).toMatchObject({
      delivered: RECORDS,
      dropped: {},
      possibleDuplicates: RECORDS - ANSWERED,
    });
    const expected = Array.from({ length: RECORDS }, (_, record) => (record < ANSWERED ? 1 : 2));
    expect(timesSent(server)).toEqual(expected);
  });
});
