import { hostname, networkInterfaces } from 'node:os';
import { threadId } from 'node:worker_threads';
import type { Attributes, HrTime, LogRecord } from '../record/log-record.js';
import { severityClass } from '../record/severity.js';
import { ATTRIBUTE_PREFIX, setOwn } from './names.js';
import { encodeMap } from './tags.js';
import { encodeValue } from './value.js';

/** Plumelog's alerts look for exactly ERROR, so a FATAL is one too. */
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'ERROR'] as const;
const WARN_CLASS = 3;

/** The attribute that says which function logged (semantic conventions, stable). */
const METHOD = 'code.function.name';

const OWN_NAMES = new Set([
  'serverName',
  'traceId',
  'appName',
  'env',
  'method',
  'dtTime',
  'content',
  'logLevel',
  'className',
  'threadName',
  'logType',
  'dateTime',
  'seq',
]);

let server: string | undefined;
let lastSeq = 0;

/**
 * A record as one Plumelog item: appName is `service.name`, env the deployment environment, className the scope (Nest's
 * context), method the attribute `code.function.name`. Other attributes become extension fields at the top level, those
 * whose name is taken as `attributes.<name>`.
 */
export function plumelogItem(record: LogRecord): string {
  const { attributes, resource } = record;
  const level = severityClass(record.severityNumber);
  const ms = epochMs(record.hrTime);
  const item: Attributes = {
    serverName: (server ??= serverAddress()),
    traceId: record.spanContext?.traceId ?? '',
    appName: text(resource.attributes['service.name']),
    env: text(resource.attributes['deployment.environment.name']),
    method: text(attributes[METHOD]),
    dtTime: ms,
    content: content(record, level),
    logLevel: LEVELS[level],
    className: record.instrumentationScope.name,
    threadName: threadId === 0 ? 'main' : `worker-${threadId}`,
    dateTime: localTime(new Date(ms)),
    seq: ++lastSeq,
  };
  for (const name of Object.keys(attributes)) {
    const value = attributes[name];
    if (name === METHOD && typeof value === 'string') continue;
    setOwn(item, OWN_NAMES.has(name) ? ATTRIBUTE_PREFIX + name : name, value);
  }
  return encodeMap(item);
}

/** Plumelog sorts and expires by this number, so it must be one. */
function epochMs([seconds, nanoseconds]: HrTime): number {
  const ms = seconds * 1000 + Math.floor(nanoseconds / 1e6);
  return Number.isFinite(ms) ? ms : Date.now();
}

function content(record: LogRecord, level: number): string {
  const message = messageOf(record.body);
  const stack = record.attributes['exception.stacktrace'];
  return level >= WARN_CLASS && typeof stack === 'string' ? `${message}\n${stack}` : message;
}

function messageOf(body: unknown): string {
  if (body === undefined || body === null) return '';
  return typeof body === 'string' ? body : encodeValue(body);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `yyyy-MM-dd HH:mm:ss.SSS` in the zone of this machine, as Plumelog's own clients write it. */
function localTime(date: Date): string {
  const pad = (value: number, digits = 2): string => String(value).padStart(digits, '0');
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return `${day} ${time}.${pad(date.getMilliseconds(), 3)}`;
}

/** Plumelog shows the address of the machine that logs. */
function serverAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const address of addresses ?? []) {
      if (address.family === 'IPv4' && !address.internal) return address.address;
    }
  }
  return hostname();
}
