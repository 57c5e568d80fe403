import { Redis } from 'ioredis';
import { type ConnectionOptions, RedisLogWriter } from 'nestjs-redis-log/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CertificateAuthority, startCertificateAuthority } from '../../support/certificates.js';
import { freePort } from '../../support/free-port.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { allDelivered, type Sent, sendTraffic } from './traffic.js';

const RECORDS = 1_000;

let authority: CertificateAuthority;
let stranger: CertificateAuthority;
let redis: RedisServer;
let port: number;
let admin: Redis;
beforeAll(async () => {
  [authority, stranger] = await Promise.all([startCertificateAuthority(), startCertificateAuthority()]);
  port = await freePort();
  const config = authority.serverConfig(await authority.issue(), port);
  // Nothing but TLS: what is sent in plain text must go nowhere.
  redis = await startRedisServer({ config: ['port 0', ...config] });
  admin = redis.client({ port, tls: { ca: authority.ca } });
});
afterAll(async () => {
  await redis.stop();
  await authority[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
});
beforeEach(() => admin.flushall());

/** Sends to a server that will not do, for a short while. */
function sendInVain(connection: ConnectionOptions): Promise<Sent> {
  return sendTraffic({ connection, records: 10, shutdownTimeoutMs: 1_000 });
}

async function expectNothingStored(sent: Sent, reason: RegExp): Promise<void> {
  expect(sent.said[0]).toMatch(reason);
  expect(sent.stats).toMatchObject({ emitted: 10, delivered: 0, unconfirmed: 0, dropped: { closed: 10 } });
  expect(await admin.dbsize()).toBe(0);
}

describe('Over TLS all records arrive', () => {
  it('with the authority of the certificate in the options', async () => {
    const { ca } = authority;
    const { stats, said } = await sendTraffic({ connection: { port, tls: { ca } }, records: RECORDS });
    expect(said).toEqual([]);
    expect(stats).toEqual(allDelivered(RECORDS));
    expect(await admin.xlen('logs:shop')).toBe(RECORDS);
  });

  it('with a rediss URL, for a client of yours that trusts the authority', async () => {
    const own = new Redis(`rediss://localhost:${port}/1`, {
      tls: { ca: authority.ca },
      lazyConnect: true,
    });
    const { stats, said } = await sendTraffic({ connection: own, records: RECORDS });
    expect(said).toEqual([]);
    expect(stats).toEqual(allDelivered(RECORDS));
    expect(await redis.client({ port, tls: { ca: authority.ca }, db: 1 }).xlen('logs:shop')).toBe(RECORDS);
  });
});

describe('Over TLS nothing is sent, and the reason is told', () => {
  it('when nobody who is trusted has signed the certificate', async () => {
    const sent = await sendInVain(`rediss://localhost:${port}`);
    await expectNothingStored(sent, /certificate of the server is not trusted; set tls\.ca/);
  });

  it('when another authority is trusted', async () => {
    const sent = await sendInVain({ port, tls: { ca: stranger.ca } });
    await expectNothingStored(sent, /certificate of the server is not trusted; set tls\.ca/);
  });

  it('when the certificate is for another host', async () => {
    const tls = { ca: authority.ca, servername: 'redis.example' };
    await expectNothingStored(await sendInVain({ port, tls }), /certificate is for another host name/);
  });

  it('when the server expects TLS and the URL says redis://', async () => {
    const sent = await sendInVain(`redis://localhost:${port}`);
    await expectNothingStored(sent, /does the port expect TLS \(rediss:\/\/\)/);
  });

  it('when the URL says rediss:// and the server speaks no TLS', async () => {
    await using plain = await startRedisServer();
    const connection = `rediss://localhost:${plain.port}`;
    // Redis takes the greeting for the start of a command and waits for the rest of it.
    const sent = await sendTraffic({ connection, records: 10, sendTimeoutMs: 300, shutdownTimeoutMs: 1_000 });
    await expectNothingStored(sent, /ETIMEDOUT \(no answer in time; check host, port/);
  });
});

describe('A writer that is closed in the middle of a TLS handshake', () => {
  it('leaves the process alone, at whatever moment that is', async () => {
    const uncaught: unknown[] = [];
    const take = (error: unknown): void => void uncaught.push(error);
    const diagnostics = { info: () => {}, warn: () => {}, error: () => {} };
    process.on('uncaughtException', take);
    for (const ca of [authority.ca, stranger.ca]) {
      for (let tenths = 0; tenths < 60; tenths++) {
        const writer = new RedisLogWriter({ connection: { port, tls: { ca } } }, { diagnostics });
        writer.emit({ body: 'x' });
        await new Promise(setImmediate);
        const { delivered, dropped, unconfirmed } = await writer.close({ timeoutMs: tenths / 10 });
        expect(delivered + dropped + unconfirmed).toBe(1);
      }
    }
    // The server's last alerts come in when all its connections are closed.
    await until(async () => !String(await admin.client('LIST')).includes('name=nestjs-redis-log'));
    process.off('uncaughtException', take);
    expect(uncaught).toEqual([]);
  });
});
