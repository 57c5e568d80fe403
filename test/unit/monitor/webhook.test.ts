import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Alert, StreamMonitor, type WebhookOptions } from 'nestjs-redis-log/monitor';
import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { Webhook } from '../../../src/monitor/alerts/webhook.js';

const ALERT: Alert = {
  state: 'firing',
  rule: 'Stalled',
  severity: 'error',
  subject: { stream: 'logs:shop', group: 'etl' },
  text: 'Group etl of logs:shop reads nothing',
  whatToDo: 'See what its consumers do.',
  since: new Date(0),
  at: new Date(0),
};

interface Posted {
  readonly requests: readonly IncomingMessage[];
  /** What was told on stderr. */
  readonly lines: readonly string[];
}

/** Posts one alert to a server that answers `status`, without waiting between tries. */
async function post(
  status: number,
  options: (address: string) => WebhookOptions = (address) => ({ url: `http://${address}/hook` }),
): Promise<Posted> {
  const requests: IncomingMessage[] = [];
  const lines: string[] = [];
  const server = createServer((req, res) => {
    requests.push(req);
    res.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const runtime = {
    now: () => 0,
    random: () => 0.5,
    after: (_ms: number, callback: () => void) => {
      setImmediate(callback);
      return () => {};
    },
  };
  const diagnostics = createDiagnostics({ write: (line) => lines.push(line) });
  const { port } = server.address() as AddressInfo;
  const webhook = new Webhook(options(`127.0.0.1:${port}`), { runtime, diagnostics, fetch });
  webhook.send(ALERT);
  await webhook.settled();
  server.closeAllConnections();
  server.close();
  return { requests, lines };
}

describe('The webhook', () => {
  it('sends user and password of its URL as basic authorization, decoded, and nowhere else', async () => {
    const { requests, lines } = await post(204, (address) => ({
      url: `http://ops%40shop:p%C3%A4ss%3A1@${address}/hook?a=b`,
    }));
    expect(lines).toEqual([]);
    expect(requests.map(({ url }) => url)).toEqual(['/hook?a=b']);
    const [, encoded = ''] = requests[0]?.headers.authorization?.split(' ') ?? [];
    expect(Buffer.from(encoded, 'base64').toString()).toBe('ops@shop:päss:1');
    const bare = await post(204, (address) => ({ url: `http://100%@${address}/` }));
    expect(bare.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('100%:').toString('base64')}`);
  });

  it('prefers headers that are given, in whatever case, to its own', async () => {
    const { requests } = await post(204, (address) => ({
      url: `http://user:secret@${address}/hook`,
      headers: { Authorization: 'Bearer token', 'Content-Type': 'application/vnd.alert+json' },
    }));
    expect(requests[0]?.headers).toMatchObject({
      authorization: 'Bearer token',
      'content-type': 'application/vnd.alert+json',
    });
  });

  it('tries once where the answer would be the same again, and says what it was without any secret', async () => {
    const secret = (address: string): WebhookOptions => ({ url: `http://user:secret@${address}/secret` });
    const redirected = await post(302, secret);
    expect(redirected.requests.map(({ url }) => url)).toEqual(['/secret']);
    expect(redirected.lines).toEqual([expect.stringContaining('it redirects (302), and that is refused')]);
    const refused = await post(400, secret);
    expect(refused.requests).toHaveLength(1);
    expect(refused.lines).toEqual([expect.stringContaining('it answered 400')]);
    expect([...redirected.lines, ...refused.lines].join('\n')).not.toContain('secret');
  });

  it('takes only headers that can be sent, and shows none that cannot', () => {
    const make = (headers: Record<string, string>) => () =>
      new StreamMonitor({ streams: 'logs:shop', alerts: { webhook: { url: 'http://hooks/', headers } } });
    expect(make({ 'x-token': 'secret' })).not.toThrow();
    for (const headers of [{ 'x-token': 'secret\nx: y' }, { 'x secret': 'a' }, { 'x-token': 'sécret…' }]) {
      expect(make(headers)).toThrow(
        /- alerts\.webhook\.headers: got an object\. Give an object of HTTP headers/,
      );
    }
  });

  it.each([408, 429, 500, 503])('tries again after %i, as often as it is told to', async (status) => {
    expect((await post(status)).requests).toHaveLength(4);
    const twice = await post(status, (address) => ({ url: `http://${address}/`, retries: 1 }));
    expect(twice.requests).toHaveLength(2);
  });
});
