import type { Redis } from 'ioredis';

/**
 * What a Plumelog server makes of one item of its list: the fields of its RunLogMessage, with the types that Jackson
 * gives them, and whatever else stands at the top level as extension fields.
 */
export interface PlumelogMessage {
  readonly serverName: string;
  readonly traceId: string;
  readonly appName: string;
  readonly env: string;
  readonly method: string;
  readonly content: string;
  readonly logLevel: string;
  readonly className: string;
  readonly threadName: string;
  readonly dateTime: string;
  readonly dtTime: number;
  readonly seq: number;
  readonly extensions: Readonly<Record<string, unknown>>;
}

const TEXTS = [
  'serverName',
  'traceId',
  'appName',
  'env',
  'method',
  'content',
  'logLevel',
  'className',
  'threadName',
  'dateTime',
] as const;
const LONGS = ['dtTime', 'seq'] as const;
const DATE_TIME = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}$/;

/** As the server reads: LLEN, then that many LPOPs in one pipeline, at most `maxSendSize`. */
export async function readPlumelog(
  redis: Redis,
  list: string,
  maxSendSize = 100,
): Promise<PlumelogMessage[]> {
  const messages: PlumelogMessage[] = [];
  for (;;) {
    const length = Math.min(await redis.llen(list), maxSendSize);
    if (length === 0) return messages;
    const pipeline = redis.pipeline();
    for (let n = 0; n < length; n++) pipeline.lpop(list);
    for (const [error, item] of (await pipeline.exec()) ?? []) {
      if (error !== null || typeof item !== 'string') throw new Error(`LPOP gave ${String(item)}`);
      messages.push(parse(item));
    }
  }
}

function parse(item: string): PlumelogMessage {
  const given: unknown = JSON.parse(item);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new TypeError('An item must be one JSON object.');
  }
  const extensions: Record<string, unknown> = { ...given };
  for (const name of TEXTS) takeField(extensions, name, 'string');
  for (const name of LONGS) takeField(extensions, name, 'number');
  const message = given as PlumelogMessage;
  if (!LONGS.every((name) => Number.isSafeInteger(message[name])))
    throw new TypeError('A long must be whole.');
  if (!DATE_TIME.test(message.dateTime)) throw new TypeError(`dateTime is ${message.dateTime}`);
  return { ...pick(message), extensions };
}

/** Takes a field out of what will be the extensions; throws where Jackson would. */
function takeField(fields: Record<string, unknown>, name: string, type: 'string' | 'number'): void {
  if (typeof fields[name] !== type)
    throw new TypeError(`${name} must be a ${type}, is ${typeof fields[name]}`);
  delete fields[name];
}

function pick(message: PlumelogMessage): Omit<PlumelogMessage, 'extensions'> {
  const { serverName, traceId, appName, env, method, content, logLevel, className, ...rest } = message;
  const { threadName, dateTime, dtTime, seq } = rest;
  const who = { serverName, traceId, appName, env, method, className, threadName };
  return { ...who, content, logLevel, dateTime, dtTime, seq };
}
