import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The server program: named by the script that started the tests, else redis-server or valkey-server on PATH. */
export function findRedisBinary(): string | undefined {
  const named = process.env['REDIS_LOG_TEST_SERVER'];
  if (named !== undefined && named !== '') return named;
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const candidates = ['redis-server', 'valkey-server'].flatMap((name) =>
    folders.map((each) => join(each, name)),
  );
  return candidates.find(isExecutable);
}

/** For what needs a process rather than a container: clusters, Sentinels. */
export function requireRedisBinary(what: string): string {
  const binary = findRedisBinary();
  if (binary !== undefined) return binary;
  throw new Error(
    `${what} needs redis-server or valkey-server on PATH (a container is not enough): install one.`,
  );
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
