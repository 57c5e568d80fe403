import type { RedisOptions } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Certificate,
  type CertificateAuthority,
  startCertificateAuthority,
} from '../../support/certificates.js';
import { freePort } from '../../support/free-port.js';
import { expectAllOnce, expectClosed } from '../../support/oracle-expect.js';
import { IMPATIENT, OracleWriter } from '../../support/oracle.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { startTcpProxy } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.js';

type Tls = NonNullable<RedisOptions['tls']>;

let authority: CertificateAuthority;
let stranger: CertificateAuthority;
let good: Certificate;

beforeAll(async () => {
  [authority, stranger] = await Promise.all([startCertificateAuthority(), startCertificateAuthority()]);
  good = await authority.issue();
});

afterAll(async () => {
  await authority[Symbol.asyncDispose]();
  await stranger[Symbol.asyncDispose]();
});

interface TlsServer extends AsyncDisposable {
  readonly server: RedisServer;
  /** Options of a client that trusts the authority. */
  connection(tls?: Tls): RedisOptions;
}

async function startTlsServer(certificate: Certificate, clients: 'no' | 'yes' = 'no'): Promise<TlsServer> {
  const port = await freePort();
  const server = await startRedisServer({ config: authority.serverConfig(certificate, port, clients) });
  return {
    server,
    connection: (tls = {}) => ({ host: 'localhost', port, tls: { ca: authority.ca, ...tls } }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** The first thing said about a connection over which nothing gets through. */
async function complaint(oracle: OracleWriter): Promise<string> {
  oracle.emit(10);
  const line = await until(() => oracle.lines.at(0), { timeoutMs: 10_000 });
  expect(line).toContain('Records wait and are sent');
  expect(oracle.stats).toMatchObject({ delivered: 0, queued: 10 });
  return line;
}

describe('TLS', () => {
  it('carries the records to a server whose certificate is in order', async () => {
    await using tls = await startTlsServer(good);
    await using oracle = new OracleWriter({ connection: tls.connection() });
    oracle.emit(1_000);
    await expectClosed(oracle);
    await expectAllOnce(oracle, tls.server.client());
    expect(oracle.lines).toEqual([]);
  });

  it('survives resets like any other connection: every record once', async () => {
    await using tls = await startTlsServer(good);
    const { port = 0 } = tls.connection();
    await using proxy = await startTcpProxy({ port });
    const connection = { ...tls.connection(), port: proxy.port };
    await using oracle = new OracleWriter({ connection }, IMPATIENT);
    const client = tls.server.client();
    oracle.emit(1);
    await oracle.delivered(1);
    for (let round = 1; round <= 5; round++) {
      await proxy.set({ blackHole: 'down' });
      oracle.emit(200);
      await until(async () => oracle.stats.inFlight > 0 && (await client.xlen(oracle.stream)) > round * 200);
      proxy.cut();
      await proxy.heal();
      await oracle.delivered(1 + round * 200);
    }
    await expectClosed(oracle);
    expect(oracle.stats.duplicatesSuppressed).toBe(1_000);
    await expectAllOnce(oracle, tls.server.client());
  });

  it.each([
    ['has expired', () => authority.issue({ isExpired: true }), 'CERT_HAS_EXPIRED'],
    [
      'is for another host',
      () => authority.issue({ names: 'DNS:elsewhere' }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    ['is of an unknown authority', () => stranger.issue(), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  ])('names what is wrong with a certificate that %s, and sends when it is mended', async (_, bad, code) => {
    await using tls = await startTlsServer(await bad());
    await using oracle = new OracleWriter({ connection: tls.connection() }, IMPATIENT);
    expect(await complaint(oracle)).toMatch(new RegExp(`${code} .*certificate`));
    const client = tls.server.client();
    expect(await client.dbsize()).toBe(0);
    await client.config('SET', 'tls-cert-file', good.certFile, 'tls-key-file', good.keyFile);
    await oracle.delivered(10);
    await expectAllOnce(oracle, client);
  });

  it('is never given up for plain text where the port speaks none', async () => {
    await using tls = await startTlsServer(good);
    const connection = { ...tls.connection(), port: tls.server.port };
    await using oracle = new OracleWriter({ connection, sendTimeoutMs: 500 });
    expect(await complaint(oracle)).toContain('does it speak TLS, or not?');
    expect(await tls.server.client().dbsize()).toBe(0);
  });

  it('is asked for where a plain connection meets a port that wants it', async () => {
    await using tls = await startTlsServer(good);
    const { host = '', port = 0 } = tls.connection();
    await using oracle = new OracleWriter({ connection: { host, port } });
    expect(await complaint(oracle)).toContain('does the port expect TLS (rediss://)?');
  });

  it('that accepts any certificate works, and is warned of once', async () => {
    await using tls = await startTlsServer(await stranger.issue());
    await using oracle = new OracleWriter(
      { connection: tls.connection({ rejectUnauthorized: false }) },
      IMPATIENT,
    );
    oracle.emit(10);
    await oracle.delivered(10);
    await tls.server.client().call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    oracle.emit(10);
    await oracle.delivered(20);
    const warnings = oracle.lines.filter((line) => line.includes('rejectUnauthorized: false'));
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('Set tls.ca instead');
  });
});

describe('TLS with a client certificate', () => {
  it('carries the records', async () => {
    await using tls = await startTlsServer(good, 'yes');
    const { cert, key } = await authority.issue();
    await using oracle = new OracleWriter({ connection: tls.connection({ cert, key }) });
    oracle.emit(100);
    await expectClosed(oracle);
    await expectAllOnce(oracle, tls.server.client());
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'says that it is missing, and sends when the server wants none: %s',
    async (maxVersion) => {
      await using tls = await startTlsServer(good, 'yes');
      await using oracle = new OracleWriter({ connection: tls.connection({ maxVersion }) }, IMPATIENT);
      expect(await complaint(oracle)).toContain('tls.cert, tls.key');
      const client = tls.server.client();
      await client.config('SET', 'tls-auth-clients', 'no');
      await oracle.delivered(10);
      await expectAllOnce(oracle, client);
    },
  );

  it('says that the server does not trust it', async () => {
    await using tls = await startTlsServer(good, 'yes');
    const { cert, key } = await stranger.issue();
    await using oracle = new OracleWriter({ connection: tls.connection({ cert, key }) }, IMPATIENT);
    expect(await complaint(oracle)).toContain('a certificate it trusts');
    expect(oracle.lines.join('\n')).not.toContain('PRIVATE KEY');
  });
});
