import { describeValue, nearest } from './problems.js';

type Fields = Readonly<Record<string, unknown>>;

/** What ioredis 5 or 6 takes. Other keys are let through, unless they look like one of these mistyped. */
const KNOWN = (
  'host port path family username password db name role tls keyPrefix connectionName sentinels sentinelUsername ' +
  'sentinelPassword sentinelRetryStrategy sentinelReconnectStrategy sentinelCommandTimeout sentinelTLS ' +
  'sentinelMaxConnections enableTLSForSentinelMode preferredSlaves updateSentinels failoverDetector natMap ' +
  'connectTimeout disconnectTimeout commandTimeout socketTimeout blockingTimeout blockingTimeoutGrace keepAlive ' +
  'noDelay retryStrategy reconnectOnError maxRetriesPerRequest maxLoadingRetryTime enableOfflineQueue ' +
  'enableReadyCheck enableAutoPipelining autoPipeliningIgnoredCommands autoResubscribe ' +
  'autoResendUnfulfilledCommands lazyConnect readOnly monitor stringNumbers protocol replyMapping scripts ' +
  'disableClientInfo clientInfoTag showFriendlyErrorStack dropBufferSupport himportFieldsets offlineQueue ' +
  'commandQueue Connector'
).split(' ');
/** Words so short that many others are near them. */
const MISTYPED = KNOWN.filter((name) => name.length > 3);

const text = (value: unknown): boolean => typeof value === 'string' && value !== '';
/** ioredis takes a port and a database as text, too: they may come from the environment. */
const whole = (highest: number) => (value: unknown) => {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= highest;
};

/** What must be so, where it is given: other values would lead to another server, or to none. */
const RULES: readonly (readonly [key: string, isRight: (value: unknown) => boolean, form: string])[] = [
  ['host', text, 'a host name or an address'],
  ['port', whole(65_535), 'a number from 0 to 65535'],
  ['path', text, 'the path of a socket'],
  ['db', whole(Number.MAX_SAFE_INTEGER), 'the number of a database'],
  ['username', (value) => typeof value === 'string', 'a text'],
  ['password', (value) => typeof value === 'string' || typeof value === 'number', 'a text'],
  ['keyPrefix', (value) => typeof value === 'string', 'a text'],
  ['sentinels', isFilledArray, 'an array of at least one { host, port }'],
];

/** What is wrong with options of ioredis; undefined when nothing is known to be. */
export function ioredisProblem(options: Fields): string | undefined {
  for (const [key, isRight, form] of RULES) {
    const value = options[key];
    if (value !== undefined && value !== null && !isRight(value)) return `"${key}" must be ${form}`;
  }
  if ('socket' in options) return 'ioredis options have no "socket": give host and port themselves';
  const { sentinels, name } = options;
  if (Array.isArray(sentinels) && !text(name))
    return 'beside sentinels there must be the name of their group';
  return mistyped(options);
}

function mistyped(options: Fields): string | undefined {
  for (const key of Object.keys(options)) {
    if (KNOWN.includes(key) || options[key] === undefined) continue;
    const similar = nearest(key, MISTYPED);
    if (similar !== undefined) return `ioredis has no option ${describeValue(key)}: did you mean ${similar}?`;
  }
  return undefined;
}

function isFilledArray(value: unknown): boolean {
  if (!Array.isArray(value) || value.length === 0) return false;
  return value.every((item) => typeof item === 'object' && item !== null);
}
