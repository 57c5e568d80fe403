import { isRedisLogError, RedisLogError } from '../errors.js';
import { Problems } from '../options/problems.js';
import type { ResolvedRedact } from '../options/types.js';
import { compileRedactor } from '../record/redact.js';

/**
 * Resolves options, and makes sure that every path of `redact` can be compiled. `more`: what the caller found itself, as
 * pairs of option and text.
 *
 * @throws RedisLogError `REDIS_LOG_INVALID_OPTIONS` with the problems of all three in one message.
 */
export function resolveAll<T>(
  resolve: () => T,
  redact: unknown,
  more: readonly (readonly [subject: string, text: string])[] = [],
): T {
  const problems = new Problems();
  let resolved: T | undefined;
  try {
    resolved = resolve();
  } catch (error) {
    if (!isRedisLogError(error) || error.code !== 'REDIS_LOG_INVALID_OPTIONS') throw error;
    problems.addAll(error);
  }
  for (const path of pathsOf(redact)) addPath(problems, path);
  for (const [subject, text] of more) problems.add(subject, text);
  if (!problems.isEmpty || resolved === undefined) throw problems.toError();
  return resolved;
}

function addPath(problems: Problems, path: string): void {
  try {
    compileRedactor({ paths: [path], censor: '' } satisfies ResolvedRedact);
  } catch (error) {
    if (!(error instanceof RedisLogError)) throw error;
    problems.add('redact', error.message.replace(/^redact: /, '').replace(/\.$/, ''));
  }
}

/** What is no list of texts at all is a problem that the resolver has named already. */
function pathsOf(redact: unknown): string[] {
  const paths: unknown = Array.isArray(redact) ? redact : (redact as { paths?: unknown } | undefined)?.paths;
  return Array.isArray(paths) ? paths.filter((path) => typeof path === 'string' && path.trim() !== '') : [];
}
