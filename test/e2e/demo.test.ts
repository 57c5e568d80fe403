import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { killWithThisProcess } from '../support/child-guard.js';
import { type RedisServer, startRedisServer } from '../support/redis-server.js';
import { until } from '../support/until.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What these tests look at; the demo writes more. */
interface Account {
  readonly requests: number;
  readonly requestsByStatus: Readonly<Record<string, number>>;
  readonly emitted: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly unconfirmed: number;
  readonly queued: number;
  readonly inStream: number;
  readonly duplicates: number;
  readonly withTraceId: number;
  readonly requestRecords: number;
  readonly requestRecordsWithTraceId: number;
  readonly requestsWithOwnTrace: number;
  readonly tracesOfRequests: number;
  readonly servingWithoutTraceId: number;
  readonly etl: {
    readonly errorsInStream: number;
    readonly errorsInStore: number;
    readonly missing: number;
    readonly storedTwice: number;
    readonly kills: number;
    readonly starts: number;
    readonly caughtUp: boolean;
  };
  readonly monitor: {
    readonly statuses: readonly { readonly atSeconds: number; readonly status: string }[];
    readonly forecast: { readonly atSeconds: number; readonly losingInSeconds: number } | null;
    readonly alerts: readonly { readonly state: string; readonly rule: string; readonly whatToDo: string }[];
    readonly scaling: readonly { readonly decision: string; readonly desired: number }[];
    readonly lost: number | null;
    readonly recovered: boolean;
  } | null;
  readonly addsUp: boolean;
  readonly problems: readonly string[];
}

interface Demo {
  readonly child: ChildProcess;
  readonly output: Promise<string>;
  /** Resolves with the exit code and the JSON account. */
  end(): Promise<{ readonly code: number | null; readonly account: Account }>;
}

describe('the demo, with the sample app and the package as they are built', () => {
  let server: RedisServer;
  let directory: string;
  let runs = 0;

  function startDemo(...args: string[]): Demo {
    const jsonFile = join(directory, `account-${++runs}.json`);
    const child = spawn(process.execPath, ['sample-app/dist/demo.js', '--json', jsonFile, ...args], {
      cwd: root,
      env: { ...process.env, REDIS_LOG_URL: server.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const endWatch = killWithThisProcess(child);
    const exited = once(child, 'exit');
    const output = text(child.stdout);
    const end: Demo['end'] = async () => {
      const [code] = (await exited) as [number | null];
      endWatch();
      return { code, account: JSON.parse(await readFile(jsonFile, 'utf8')) as Account };
    };
    return { child, output, end };
  }

  /** The name of the only stream there is, once it has so many entries; the boot of the shop writes some 20. */
  function streamWith(entries: number): Promise<string> {
    const client = server.client();
    const find = async (): Promise<string | undefined> => {
      const [stream] = await client.keys('logs:*');
      return stream !== undefined && (await client.xlen(stream)) >= entries ? stream : undefined;
    };
    return until(find, { what: `${entries} entries`, timeoutMs: 30_000, intervalMs: 20 });
  }

  beforeAll(async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    await promisify(execFile)(process.execPath, [tsc, '-p', join(root, 'sample-app/tsconfig.json')]);
    server = await startRedisServer();
    directory = await mkdtemp(join(tmpdir(), 'redis-log-demo-test-'));
  });

  afterAll(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });

  describe('in twelve seconds of traffic', () => {
    let account: Account;
    let code: number | null;
    let output: string;
    let keysLeft: string[];

    beforeAll(async () => {
      const demo = startDemo('--seconds', '12');
      ({ code, account } = await demo.end());
      output = await demo.output;
      keysLeft = await server.client().keys('*');
    });

    it('delivers every record that was emitted, once, and drops none', () => {
      expect(account.problems).toEqual([]);
      expect(account.emitted).toBeGreaterThan(account.requests);
      expect(account.delivered).toBe(account.emitted);
      expect(account.inStream).toBe(account.emitted);
      expect(account).toMatchObject({ dropped: 0, unconfirmed: 0, queued: 0, duplicates: 0 });
      expect(code).toBe(0);
    });

    it("finds every request's records under a trace id that is that request's alone", () => {
      expect(account.requestRecords).toBeGreaterThan(account.requests);
      expect(account.requestRecordsWithTraceId).toBe(account.requestRecords);
      expect(account.servingWithoutTraceId).toBe(0);
      expect(account.requestsWithOwnTrace).toBe(account.requests);
      expect(account.tracesOfRequests).toBe(account.requests);
      expect(account.withTraceId).toBeGreaterThan(account.requestRecords);
    });

    it('serves some requests well, refuses some and fails in some', () => {
      const { '2xx': served = 0, '4xx': refused = 0, '5xx': failed = 0 } = account.requestsByStatus;

      expect(served).toBeGreaterThan(refused);
      expect(refused).toBeGreaterThan(failed);
      expect(failed).toBeGreaterThan(0);
      expect(served + refused + failed).toBe(account.requests);
    });

    it('stores every error of the stream once, though the worker that stores them is killed meanwhile', () => {
      const { etl } = account;
      // Each failed request makes two: where it failed, and the record of the request.
      expect(etl.errorsInStream).toBe(2 * (account.requestsByStatus['5xx'] ?? 0));
      expect(etl.errorsInStore).toBe(etl.errorsInStream);
      expect(etl).toMatchObject({ missing: 0, storedTwice: 0, kills: 1, starts: 2, caughtUp: true });
    });

    it('shows a group that stalls, the forecast of its loss before there is one, and its recovery', () => {
      const { monitor } = account;
      const at = (status: string): number =>
        monitor?.statuses.find((note) => note.status === status)?.atSeconds ?? NaN;

      expect(monitor?.statuses[0]?.status).toBe('OK');
      expect(at('STALLED')).toBeLessThan(at('LOSING'));
      expect(monitor?.forecast?.atSeconds).toBeLessThan(at('LOSING'));
      expect(monitor?.statuses.at(-1)?.status).toBe('OK');
      expect(monitor?.lost).toBeGreaterThan(0);
      expect(monitor?.recovered).toBe(true);
    });

    it('fires an alert that says what to do, resolves it, and advises one consumer more', () => {
      const losing = account.monitor?.alerts.filter(({ rule }) => rule === 'LogsLosing');

      expect(losing?.map(({ state }) => state)).toEqual(['firing', 'resolved']);
      expect(losing?.[0]?.whatToDo).toMatch(/Add consumers/);
      expect(account.monitor?.scaling[0]).toMatchObject({ decision: 'OUT', desired: 2 });
    });

    it('says where the logs can be looked at', () => {
      expect(output).toMatch(new RegExp(`redis-cli -p ${server.port} XREVRANGE logs:shop-demo-\\w+ `));
    });

    it('leaves nothing behind on a Redis that is not its own', () => {
      expect(keysLeft).toEqual([]);
    });
  });

  it('shuts the shop down on Ctrl-C, and accounts for every record also then', async () => {
    const demo = startDemo();
    await streamWith(60);
    demo.child.kill('SIGINT');
    const { code, account } = await demo.end();

    expect(account).toMatchObject({ addsUp: true, inStream: account.emitted, delivered: account.emitted });
    expect(code).toBe(0);
  });

  it('shows every record, with stack and causes of what failed, where it is asked to', async () => {
    const demo = startDemo('--verbose');
    // The bank breaks off the twelfth payment, at about the 190th entry.
    await streamWith(300);
    demo.child.kill('SIGTERM');
    await demo.end();
    const output = await demo.output;

    expect(output).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} LOG {5}\[OrdersService\] Order placed orderId=1 .* [0-9a-f]{8}$/m,
    );
    expect(output).toMatch(
      /^ {4}PaymentFailedError: .*\n(?: {6}at .*\n)+ {4}caused by Error: The bank .*\n {4}caused by Error: read ECONNRESET$/m,
    );
  });

  it('accounts for every error also where it ends before the worker is ready', async () => {
    const demo = startDemo('--seconds', '0.5');
    const { code, account } = await demo.end();

    expect(account).toMatchObject({ addsUp: true, problems: [] });
    expect(account.etl.errorsInStore).toBe(account.etl.errorsInStream);
    expect(code).toBe(0);
  });

  it('does not add up when a single record is missing from the stream', async () => {
    const demo = startDemo();
    const stream = await streamWith(60);
    const client = server.client();
    const [first] = await client.xrange(stream, '-', '+', 'COUNT', 1);
    expect(await client.xdel(stream, first?.[0] ?? '')).toBe(1);
    demo.child.kill('SIGINT');
    const { code, account } = await demo.end();

    expect(account.inStream).toBe(account.delivered - 1);
    expect(account.addsUp).toBe(false);
    expect(code).toBe(1);
  });
});
