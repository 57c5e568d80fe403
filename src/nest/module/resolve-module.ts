import { resolveModuleOptions } from '../../options/resolve.js';
import type { ResolvedLoggerOptions, ResolvedWriterOptions } from '../../options/types.js';
import type { RedisLogRecordExporter } from '../../otel/exporter.js';
import { resolveAll } from '../../otel/resolve-redact.js';
import type { RedisLogModuleOptions } from './redis-log-options.js';

export interface ResolvedModuleOptions {
  readonly writer: ResolvedWriterOptions;
  readonly logger: ResolvedLoggerOptions;
  /** The exporter that was handed in, if any. */
  readonly exporter: RedisLogRecordExporter | undefined;
  /** For tests, which often compile an application and never initialise it: early records are due at once. */
  readonly startsAtOnce?: boolean;
}

/** What an exporter has settled already. `redact` is not among it: the logger censors before the exporter does. */
const OF_THE_EXPORTER = [
  'connection',
  'service',
  'resource',
  'stream',
  'retention',
  'batch',
  'queue',
  'sendTimeoutMs',
  'shutdownTimeoutMs',
  'delivery',
  'acknowledge',
  'spool',
  'format',
  'sampling',
  'rateLimit',
  'deduplicate',
  'attributes',
] as const satisfies readonly (keyof RedisLogModuleOptions)[];

/** @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS`, with every problem of the options. */
export function resolveModule(options: RedisLogModuleOptions = {}): ResolvedModuleOptions {
  const { exporter } = options;
  const resolved = resolveAll(() => resolveModuleOptions(options), options.redact, problemsOf(options));
  return { ...resolved, exporter };
}

function problemsOf(options: RedisLogModuleOptions): [subject: string, text: string][] {
  return [...exporterProblems(options), ...insightsProblems(options)];
}

function insightsProblems({ insights, format = 'fields' }: RedisLogModuleOptions): [string, string][] {
  if (insights === undefined || insights === false || format === 'fields') return [];
  return [['insights', 'can count records of the format "fields" only. Leave one of the two out']];
}

function exporterProblems(options: RedisLogModuleOptions): [string, string][] {
  const { exporter } = options;
  if (exporter === undefined) return [];
  if (typeof (exporter as Partial<RedisLogRecordExporter>).emitRedacted !== 'function') {
    return [['exporter', 'is an exporter of something else. Give a RedisLogRecordExporter, or leave it out']];
  }
  const idle = OF_THE_EXPORTER.filter((name) => options[name] !== undefined);
  return idle.map((name) => [
    name,
    'has no effect beside exporter. Give it to that exporter, or leave it out',
  ]);
}
