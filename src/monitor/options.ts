import * as v from 'valibot';
import { connectionAdvice, settleConnection } from '../options/connection.js';
import { describeConnection, describeValue, nearest, Problems } from '../options/problems.js';
import { MAX_PARTITIONS, withPartitions } from '../options/partition-names.js';
import { defined, GROUPS, isFields, unknownKey, UNKNOWN_KEY, whole } from '../options/schema.js';
import { isStreamName } from '../options/stream-name.js';
import type { Complete, ConnectionOptions, RetentionOptions } from '../options/types.js';
import type { AlertOptions, AlertRule, AlertSeverity } from './alerts/types.js';

/** Options of {@link StreamMonitor}. An unknown key is an error. Numbers are whole, times in milliseconds. */
export interface StreamMonitorOptions {
  /** Default `REDIS_LOG_URL`, `REDIS_URL`, else `redis://127.0.0.1:6379`. Always copied, never used itself. */
  readonly connection?: ConnectionOptions;
  /** The streams to watch, by name. Default `REDIS_LOG_STREAM`. */
  readonly streams?: string | readonly string[];
  /** As the producers of these streams have it: each partition is watched on its own. Default `REDIS_LOG_PARTITIONS`, else 1. */
  readonly partitions?: number;
  /** Only groups of these names. Default: every group. */
  readonly groups?: readonly string[];
  /** Time between two samples, 100 to 3,600,000. Default 10,000. */
  readonly intervalMs?: number;
  /** Samples that a status is judged by, 2 to 1,000. Default 10. */
  readonly window?: number;
  /** A consumer that asked for nothing for so long counts as dead, 100 to 86,400,000. Default 60,000. */
  readonly consumerIdleMs?: number;
  /** The `minIdleMs` of the consumers; what is pending for more than twice as long is STUCK. Default 30,000. */
  readonly claimTimeoutMs?: number;
  /** What the producers keep, for forecasts. Default: as seen, once the stream is being trimmed. */
  readonly retention?: RetentionOptions;
  /** Entries fetched at most per sample to count lags that Redis cannot tell, 0 to 1,000,000. Default 10,000. */
  readonly countLimit?: number;
  /** Time between two looks at the memory of a stream, 1,000 to 86,400,000. Default 60,000. */
  readonly memoryIntervalMs?: number;
  /** Time between two looks at the counts of messages (docs/insights.md), 1,000 to 300,000. Default 60,000. */
  readonly insightsIntervalMs?: number;
  /** `true`: reads every new entry and follows the numbers of its producer. Default `false`. */
  readonly gaps?: boolean;
  /** `true`: corrects Redis' own count of what groups read where it is wrong. Needs scripts. Default `false`. */
  readonly heal?: boolean;
  /** Hands on what dead consumers hold, and removes them. Default `false`. */
  readonly cleanUp?: false | CleanUpOptions;
  /** What to tell whom. `false`: no alerts. Default: the default rules, where somebody listens with `onAlert`. */
  readonly alerts?: false | AlertOptions;
  /** `false`: no OpenTelemetry metrics. Default `true`: with the global meter provider, if there is one. */
  readonly metrics?: boolean;
  /** For one answer of Redis, and for the connection, 1 to 600,000. Default 5,000. */
  readonly timeoutMs?: number;
}

export interface CleanUpOptions {
  /** A consumer that asked for nothing for so long is removed, 1,000 to 10^12. Default 3,600,000. */
  readonly idleMs?: number;
  /** Time between two rounds, 1,000 to 86,400,000. Default 60,000. */
  readonly intervalMs?: number;
}

export type ResolvedMonitorOptions = Complete<
  Omit<StreamMonitorOptions, 'streams' | 'partitions' | 'groups' | 'cleanUp' | 'alerts' | 'retention'>
> & {
  readonly streams: readonly string[];
  readonly groups: readonly string[] | undefined;
  readonly retention: RetentionOptions;
  readonly cleanUp: false | Complete<CleanUpOptions>;
  /** Undefined: for those who listen. */
  readonly alerts: false | AlertOptions | undefined;
};

const DAY_MS = 86_400_000;
const VAST = 1_000_000_000_000;
const flag = v.optional(v.boolean('true or false'));
const STREAMS = 'the name of a stream, or an array of such names without doubles';
const NAMES = 'an array of names';

const streams = v.custom<string | string[]>((value) => {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.every(isStreamName) && new Set(list).size === list.length;
}, STREAMS);
const names = v.array(v.string(NAMES), NAMES);
const connection = v.custom<ConnectionOptions>(
  (value) => connectionAdvice(value) === undefined,
  (issue) => connectionAdvice(issue.input) ?? '',
);

function group<T extends v.ObjectEntries>(entries: T) {
  return v.pipe(
    v.custom<Record<string, unknown>>(isFields, 'an object'),
    v.objectWithRest(entries, unknownKey),
  );
}

function orFalse<T extends v.GenericSchema>(schema: T) {
  return v.optional(v.lazy((input) => (input === false ? v.literal(false) : schema)));
}

const callback = v.custom<unknown>((value) => typeof value === 'function', 'a function');
const RULE = 'a rule { name, severity, forMs, evaluate(sample) }';
const SEVERITIES: readonly unknown[] = ['info', 'warn', 'error', 'critical'] satisfies AlertSeverity[];

function isRule(value: unknown): boolean {
  if (!isFields(value)) return false;
  const { name, severity, forMs, evaluate } = value;
  const isNamed = typeof name === 'string' && name !== '' && SEVERITIES.includes(severity);
  return isNamed && typeof forMs === 'number' && forMs >= 0 && typeof evaluate === 'function';
}

const HEADERS = 'an object of HTTP headers, such as { authorization: "..." }';

function areHeaders(value: unknown): boolean {
  if (!isFields(value) || Object.values(value).some((each) => typeof each !== 'string')) return false;
  try {
    return Boolean(new Headers(value as Record<string, string>));
  } catch {
    return false;
  }
}

const ALERTS = {
  rules: v.optional(v.array(v.custom<AlertRule>(isRule, RULE), 'an array of rules')),
  notify: v.optional(callback),
  log: flag,
  webhook: v.optional(
    group({
      url: v.custom<string>(
        (url) => typeof url === 'string' && /^https?:\/\//.test(url) && URL.canParse(url),
        'an http or https URL',
      ),
      headers: v.optional(v.custom<Record<string, string>>(areHeaders, HEADERS)),
      timeoutMs: whole(1, 600_000),
      retries: whole(0, 10),
    }),
  ),
};

const ENTRIES = {
  connection: v.optional(connection),
  streams: v.optional(streams),
  partitions: whole(1, MAX_PARTITIONS),
  groups: v.optional(names),
  intervalMs: whole(100, 3_600_000),
  window: whole(2, 1_000),
  consumerIdleMs: whole(100, DAY_MS),
  claimTimeoutMs: whole(100, DAY_MS),
  retention: v.optional(group(GROUPS.retention)),
  countLimit: whole(0, 1_000_000),
  memoryIntervalMs: whole(1_000, DAY_MS),
  insightsIntervalMs: whole(1_000, 300_000),
  gaps: flag,
  heal: flag,
  cleanUp: orFalse(group({ idleMs: whole(1_000, VAST), intervalMs: whole(1_000, DAY_MS) })),
  alerts: orFalse(group(ALERTS)),
  metrics: flag,
  timeoutMs: whole(1, 600_000),
};

const CLEAN_UP = { idleMs: 3_600_000, intervalMs: 60_000 } as const;
const DEFAULTS = {
  intervalMs: 10_000,
  window: 10,
  consumerIdleMs: 60_000,
  claimTimeoutMs: 30_000,
  retention: {},
  countLimit: 10_000,
  memoryIntervalMs: 60_000,
  insightsIntervalMs: 60_000,
  gaps: false,
  heal: false,
  metrics: true,
  timeoutMs: 5_000,
} as const;

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem. */
export function resolveMonitorOptions(
  options: unknown,
  environment: NodeJS.ProcessEnv = process.env,
): ResolvedMonitorOptions {
  const given = withEnvironment(options ?? {}, environment);
  const parsed = checkOptions(ENTRIES, given, (problems) => {
    if (!isFields(given)) return;
    if (given['streams'] === undefined)
      problems.add('streams', `got nothing. Give ${STREAMS}, or set REDIS_LOG_STREAM`);
    for (const name of namesGivenTwice(given['alerts'])) {
      const text = `got more than one rule named ${describeValue(name)}. Give each rule a name of its own`;
      problems.add('alerts.rules', text);
    }
  }) as StreamMonitorOptions;
  const { streams: named = [], partitions = 1, cleanUp = false, connection: place, ...others } = parsed;
  return {
    ...DEFAULTS,
    ...defined(others),
    connection: settleConnection(place ?? 'redis://127.0.0.1:6379'),
    streams: withPartitions(typeof named === 'string' ? [named] : named, partitions),
    groups: parsed.groups,
    cleanUp: cleanUp === false ? false : { ...CLEAN_UP, ...defined(cleanUp) },
    alerts: parsed.alerts,
  };
}

/** Alerts are told apart by the names of their rules. */
function namesGivenTwice(alerts: unknown): Set<unknown> {
  const rules: unknown = isFields(alerts) ? alerts['rules'] : undefined;
  const list = Array.isArray(rules) ? rules.filter(isFields) : [];
  const given = list.map(({ name }) => name).filter((name) => name !== undefined);
  return new Set(given.filter((name, index) => given.indexOf(name) !== index));
}

function withEnvironment(options: unknown, environment: NodeJS.ProcessEnv): unknown {
  if (!isFields(options)) return options;
  const given = { ...options };
  given['connection'] ??= environment['REDIS_LOG_URL'] || environment['REDIS_URL'] || undefined;
  given['streams'] ??= environment['REDIS_LOG_STREAM'] || undefined;
  given['partitions'] ??= wholeOf(environment['REDIS_LOG_PARTITIONS']);
  return given;
}

/** What is no number stays a text, which the schema refuses. */
function wholeOf(text: string | undefined): unknown {
  if (!text) return undefined;
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}

/** Of a clean-up on demand: as soon as somebody likes, but nobody is idle for no time at all. */
const CLEAN_UP_NOW = { idleMs: whole(1, VAST) };

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem. */
export function checkCleanUpNow(options: unknown): Pick<CleanUpOptions, 'idleMs'> {
  return checkOptions(CLEAN_UP_NOW, options);
}

/** Options against their schema; every problem in one error. */
export function checkOptions(
  entries: v.ObjectEntries,
  options: unknown,
  more: (problems: Problems) => void = () => {},
): object {
  const problems = new Problems();
  const parsed = v.safeParse(group(entries), options);
  for (const issue of parsed.issues ?? []) addIssue(issue, Object.keys(entries), problems);
  if (isFields(options)) more(problems);
  if (!parsed.success || !problems.isEmpty) throw problems.toError();
  return parsed.output;
}

function addIssue(issue: v.BaseIssue<unknown>, known: readonly string[], problems: Problems): void {
  const path = (issue.path ?? []).map(({ key }) => String(key));
  const subject = path.join('.') || 'options';
  if (issue.message !== UNKNOWN_KEY) {
    const show = path[0] === 'connection' || path[0] === 'alerts' ? describeConnection : describeValue;
    problems.add(subject, `got ${show(issue.input)}. Give ${issue.message}, or leave it out`);
    return;
  }
  const similar = path.length === 1 ? nearest(subject, known) : undefined;
  const advice = similar === undefined ? 'Leave it out' : `Did you mean ${similar}? If not, leave it out`;
  problems.add(subject, `unknown option. ${advice}`);
}
