import { describe, expect, it } from 'vitest';
import { LateRun } from '../../../src/reader/late-run.js';
import { LogReader } from '../../../src/reader/log-reader.js';
import type { LogEntry } from '../../../src/reader/types.js';

const DONE = { done: true, value: undefined } as const;

function entries(count: number): AsyncGenerator<LogEntry, undefined> {
  async function* all(): AsyncGenerator<LogEntry, undefined> {
    for (let i = 0; i < count; i++) yield await Promise.resolve({ id: `${i}-0` } as LogEntry);
    return undefined;
  }
  return all();
}

function runOf(count: number): { run: LateRun<RunOf>; loads: () => number } {
  let loads = 0;
  const load = (): Promise<RunOf> => {
    loads++;
    const all = entries(count);
    return Promise.resolve({ next: () => all.next(), return: () => all.return(undefined) });
  };
  return { run: new LateRun(load), loads: () => loads };
}

interface RunOf {
  next(): Promise<IteratorResult<LogEntry, undefined>>;
  return(): Promise<IteratorResult<LogEntry, undefined>>;
}

describe('A query that nobody has begun to read', () => {
  it('loads nothing, not even when it is ended', async () => {
    const { run, loads } = runOf(1);
    expect(await run.return()).toEqual(DONE);
    expect(await run.next()).toEqual(DONE);
    expect(loads()).toBe(0);
  });

  it('is loaded once, however many steps are asked for at once, and answers them in order', async () => {
    const { run, loads } = runOf(3);
    const steps = await Promise.all([run.next(), run.next(), run.next(), run.next()]);
    expect(steps.map(({ value }) => value?.id)).toEqual(['0-0', '1-0', '2-0', undefined]);
    expect(loads()).toBe(1);
  });

  it('ends when it is ended while it is being loaded', async () => {
    const { run } = runOf(3);
    const first = run.next();
    await run.return();
    expect(await first).toEqual(DONE);
  });

  it('says that its reader was closed meanwhile', async () => {
    const reader = new LogReader({ connection: 'redis://127.0.0.1:1', stream: 'logs:none' });
    const query = reader.query();
    await reader.close();
    await expect(query.next()).rejects.toMatchObject({ code: 'REDIS_LOG_CLOSED' });
  });
});
