import { Redis } from 'ioredis';
import { DemoProblem } from './demo-problem.js';

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_AFTER_MS = 250;

/** The demo's own connection, beside that of the logger. @throws DemoProblem when there is no Redis */
export async function connectRedis(url: string): Promise<Redis> {
  const redis = new Redis(socketPath(url) ?? url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    // A Redis that is gone is found out within a second, one that comes back is found as soon.
    maxRetriesPerRequest: 3,
    retryStrategy: () => RECONNECT_AFTER_MS,
  });
  let reason = 'no answer';
  // ioredis says here why a connection failed, and to whoever waits for it only that it was closed.
  redis.on('error', (error: Error & { code?: string }) => {
    reason = error.code ?? error.message;
  });
  try {
    await redis.connect();
    await redis.ping();
    return redis;
  } catch {
    redis.disconnect();
    throw new DemoProblem(
      `No Redis can be used at ${addressOf(url)} (${reason}): start one, or set REDIS_LOG_URL to where yours is.`,
    );
  }
}

/** Host and port, or the socket, alone: a URL may hold a password. */
function addressOf(url: string): string {
  const path = socketPath(url);
  if (path !== undefined) return path;
  const { hostname, port } = parse(url);
  return `${hostname || '127.0.0.1'}:${port || '6379'}`;
}

/** How `redis-cli` is called for the server at this URL. A password is left for the user to give. */
export function redisCliFor(url: string): string {
  const path = socketPath(url);
  if (path !== undefined) return `redis-cli -s '${path}'`;
  const { protocol, hostname, port, username, password, pathname } = parse(url);
  const words = ['redis-cli'];
  if (!['', '127.0.0.1', 'localhost'].includes(hostname)) words.push('-h', hostname);
  if (port !== '' && port !== '6379') words.push('-p', port);
  if (protocol === 'rediss:') words.push('--tls');
  if (username !== '') words.push('--user', decodeURIComponent(username));
  if (password !== '') words.push('--askpass');
  if (/^\/[1-9]\d*$/.test(pathname)) words.push('-n', pathname.slice(1));
  return words.join(' ');
}

/** Of `/path` and `unix:///path`. */
function socketPath(url: string): string | undefined {
  if (url.startsWith('/')) return url;
  return url.startsWith('unix:') ? parse(url).pathname : undefined;
}

function parse(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new DemoProblem('REDIS_LOG_URL is no URL: the demo wants one such as redis://127.0.0.1:6379.');
  }
}
