import type { Cluster, Redis } from 'ioredis';
import { ioredisProblem } from './ioredis-options.js';
import type { ConnectionOptions } from './types.js';

const FORMS =
  'a redis:// or rediss:// URL, a socket path, ioredis options, { cluster: [...] }, or a Redis or Cluster of ioredis';

type Fields = Readonly<Record<string, unknown>>;

/**
 * A client of ioredis, told by its shape: a process may hold two copies of ioredis, and loading one only to
 * compare classes would cost every process that uses none.
 */
export function isRedisClient(value: unknown): value is Redis | Cluster {
  if (!isFields(value) || typeof value['duplicate'] !== 'function') return false;
  return isFields(value['options']) || typeof value['nodes'] === 'function';
}

/** Whether commands go to the nodes of a Cluster, each slot's to its own. */
export function isClusterConnection(value: unknown): boolean {
  return isFields(value) && (isRedisClient(value) ? 'nodes' in value : 'cluster' in value);
}

/** What to give instead of a value that cannot be a `connection`; undefined when it can. */
export function connectionAdvice(value: unknown): string | undefined {
  if (typeof value === 'string') return textAdvice(value);
  if (!isFields(value) || Array.isArray(value)) return FORMS;
  if (isNodeRedisClient(value)) return `${FORMS} (this is a client of the package "redis")`;
  if (isRedisClient(value)) return undefined;
  if (typeof value['then'] === 'function') return `${FORMS} (this is a promise: await it first)`;
  if (value instanceof URL) return `${FORMS} (this is a URL object: pass its href)`;
  if ('cluster' in value) return clusterAdvice(value);
  // ioredis would ignore it without a word and connect to this machine.
  if ('url' in value) return `${FORMS} (ioredis options have no "url": pass the URL itself)`;
  const problem = ioredisProblem(value);
  return problem === undefined ? undefined : `${FORMS} (${problem})`;
}

function textAdvice(text: string): string | undefined {
  if (text.startsWith('/') && !text.startsWith('//')) return undefined;
  if (/^unix:\/\//i.test(text)) {
    if (/^unix:\/\/\/[^@]+$/i.test(text)) return undefined;
    return 'unix:///path/to/redis.sock, or { path, username, password } for a socket with a password';
  }
  if (!/^rediss?:\/\//i.test(text)) return `${FORMS} (a URL looks like redis://user:password@host:6379/0)`;
  if (!URL.canParse(text)) return 'a URL that parses (special characters of the password percent-encoded)';
  const url = new URL(text);
  if (!isDecodable(url.username) || !isDecodable(url.password)) {
    return 'a URL whose user and password are percent-encoded (% itself is %25)';
  }
  return /^(\/\d*)?$/.test(url.pathname) ? undefined : 'a URL whose path is a database number, such as /0';
}

function isDecodable(text: string): boolean {
  try {
    // The result is used, or bundlers would leave the call out.
    return text === '' || decodeURIComponent(text) !== '';
  } catch {
    return false;
  }
}

function clusterAdvice(value: Fields): string | undefined {
  const { cluster, options } = value;
  const form = '{ cluster: [{ host, port }, ...], options? } with at least one node';
  if (!Array.isArray(cluster) || cluster.length === 0 || !cluster.every(isClusterNode)) return form;
  if (options !== undefined && (!isFields(options) || Array.isArray(options))) return form;
  const unknown = Object.keys(value).find((key) => key !== 'cluster' && key !== 'options');
  if (unknown !== undefined) return `${form} ("${unknown}" belongs into its options)`;
  const parts: readonly unknown[] = [...cluster, isFields(options) ? options['redisOptions'] : undefined];
  const problem = parts.filter(isFields).map(ioredisProblem).find(Boolean);
  return problem === undefined ? undefined : `${form} (${problem})`;
}

function isClusterNode(node: unknown): boolean {
  if (typeof node === 'string') return node !== '';
  return typeof node === 'number' || (isFields(node) && !Array.isArray(node));
}

function isNodeRedisClient(value: Fields): boolean {
  return typeof value['isOpen'] === 'boolean' && typeof value['status'] !== 'string';
}

/**
 * A valid connection as ioredis takes it, safe from later changes to the object it was given in. Clients stay
 * what they are; what lies deeper in ioredis options (TLS contexts, functions) is not ours to copy.
 */
export function settleConnection(connection: ConnectionOptions): ConnectionOptions {
  // ioredis has no unix: scheme and would take the word for a host name.
  if (typeof connection === 'string') return connection.replace(/^unix:\/\//i, '');
  if (isRedisClient(connection)) return connection;
  if (!('cluster' in connection)) return Object.freeze({ ...connection });
  const cluster = Object.freeze([...connection.cluster]);
  const { options } = connection;
  return Object.freeze(
    options === undefined ? { cluster } : { cluster, options: Object.freeze({ ...options }) },
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
