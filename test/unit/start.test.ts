import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const SOURCE = resolve(import.meta.dirname, '../../src');
const STATIC_IMPORT = /^(?:import|export)\s(?!type\b)[^;]*?from\s+'(\.[^']+)';/gm;

/** The files that importing `entry` loads: all that static imports lead to, without those of types. */
function loadedBy(entry: string): Set<string> {
  const seen = new Set<string>();
  const waiting = [resolve(SOURCE, entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const name = relative(SOURCE, file);
    if (seen.has(name)) continue;
    seen.add(name);
    for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(STATIC_IMPORT)) {
      waiting.push(resolve(dirname(file), path.replace(/\.js$/, '.ts')));
    }
  }
  return seen;
}

/** What a plain logger needs late or never. */
const LATE = [
  'redis/connection.ts',
  'redis/store.ts',
  'redis/script.ts',
  'redis/range-reader.ts',
  'redis/group-link.ts',
  'redis/monitor-connection.ts',
  'reader/reader-engine.ts',
  'reader/insights/common.ts',
  'reader/insights/insights-counter.ts',
  'consumer/log-consumer.ts',
  'monitor/monitor-engine.ts',
  'nest/http/install.ts',
  'nest/http/request-log.ts',
];

describe('Importing the package', () => {
  it.each(['index.ts', 'core.ts', 'otel/index.ts'])('by %s loads what writes, and nothing else', (entry) => {
    const loaded = loadedBy(entry);
    expect(loaded).toContain('pipeline/pipeline.ts');
    expect(LATE.filter((file) => loaded.has(file))).toEqual([]);
  });

  it('loads what reads only with the first thing that is read', () => {
    const loaded = loadedBy('reader/index.ts');
    expect(loaded).toContain('reader/log-reader.ts');
    expect(loaded.has('reader/reader-engine.ts')).toBe(false);
  });
});
