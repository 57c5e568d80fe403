import { describe, expect, it } from 'vitest';
import { isStreamName } from '../../../src/options/stream-name.js';
import { streamRouter } from '../../../src/pipeline/stream-router.js';
import type { LogRecord } from '../../../src/record/log-record.js';
import { recordOf } from './pipeline-harness.js';

interface Routed {
  readonly route: (body: string) => string;
  readonly bad: string[];
  readonly tooMany: number[];
}

function router(stream: Parameters<typeof streamRouter>[0]): Routed {
  const bad: string[] = [];
  const tooMany: number[] = [];
  const events = {
    badName: (reason: string) => bad.push(reason),
    tooMany: (limit: number) => tooMany.push(limit),
  };
  const route = streamRouter(stream, { defaultStream: 'logs:app', isName: isStreamName }, events);
  return { route: (body) => route(recordOf(body, 9)), bad, tooMany };
}

function byBody(record: LogRecord): string {
  return record.body as string;
}

describe('The stream of a record', () => {
  it('is the one named, or the one that the function names', () => {
    expect(router('logs:fixed').route('any')).toBe('logs:fixed');
    expect(router(byBody).route('logs:errors')).toBe('logs:errors');
  });

  it('is the default one when the function throws, and the reason does not tell what was thrown', () => {
    const { route, bad } = router(() => {
      throw new TypeError('secret');
    });
    expect(route('any')).toBe('logs:app');
    expect(bad).toEqual(['it threw TypeError']);
    const { route: other, bad: also } = router(() => {
      const thrown: unknown = 'text';
      throw thrown as Error;
    });
    expect(other('any')).toBe('logs:app');
    expect(also).toEqual(['it threw']);
  });

  it.each([undefined, null, 7, {}, '', 'a}b', Promise.resolve('logs')])(
    'is the default one when the function gives %j, which is no name',
    (name) => {
      const { route, bad } = router(() => name as string);
      expect(route('any')).toBe('logs:app');
      expect(bad).toHaveLength(1);
    },
  );

  it('is the default one for every new name after 64, while the known ones go on', () => {
    const { route, tooMany } = router(byBody);
    const names = Array.from({ length: 63 }, (_, at) => `logs:${at}`);
    expect(names.map(route)).toEqual(names);
    expect(route('logs:app')).toBe('logs:app');
    expect(tooMany).toEqual([]);
    expect(route('logs:64')).toBe('logs:app');
    expect(tooMany).toEqual([64]);
    expect(names.map(route)).toEqual(names);
  });

  it('quotes a long bad name in part only', () => {
    const { route, bad } = router(byBody);
    route(`}${'x'.repeat(10_000)}`);
    expect(bad[0]?.length).toBeLessThan(120);
  });
});
