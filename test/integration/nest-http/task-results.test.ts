import 'reflect-metadata';
import { Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { LogTask, RedisLogger, RedisLogModule } from 'nestjs-redis-log';
import { setTimeout as delay } from 'node:timers/promises';
import { concat, firstValueFrom, lastValueFrom, NEVER, Observable, of, throwError, toArray } from 'rxjs';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogRecord } from '../../../src/record/log-record.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { storedRecords } from '../nest/support.js';
import { titles } from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());

/** Does nothing before it is asked for its result, as the queries of database libraries. */
class Query implements PromiseLike<string> {
  readonly #work: () => Promise<string>;

  constructor(work: () => Promise<string>) {
    this.#work = work;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- That is what it is.
  then<T = string, E = never>(...handlers: Parameters<Promise<string>['then']>): Promise<T | E> {
    return this.#work().then(...handlers) as Promise<T | E>;
  }
}

@Injectable()
class Jobs {
  readonly #logger = new Logger(Jobs.name);

  @LogTask('query')
  query(fails: boolean): PromiseLike<string> {
    return new Query(async () => {
      await delay(1);
      this.#logger.log('in the query');
      if (fails) throw new RangeError('no rows');
      return 'rows';
    });
  }

  @LogTask('observable')
  observable(kind: 'ends' | 'fails' | 'lasts'): Observable<number> {
    const after = { ends: of(3), fails: throwError(() => new RangeError('broke')), lasts: NEVER }[kind];
    const first = new Observable<number>((subscriber) => {
      this.#logger.log('in the observable');
      subscriber.next(1);
      subscriber.complete();
    });
    return concat(first, after);
  }

  @LogTask('generator')
  async *generator(fails: boolean): AsyncGenerator<number> {
    yield 1;
    await delay(1);
    this.#logger.log('in the generator');
    if (fails) throw new RangeError('broke');
    yield 2;
  }

  @LogTask('stream')
  stream(): Readable {
    return Readable.from(['a']);
  }
}

async function collected(source: AsyncIterable<unknown>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const value of source) values.push(value);
  return values;
}

describe('A task', () => {
  async function recordsOf(work: (jobs: Jobs) => Promise<unknown>): Promise<LogRecord[]> {
    class AppModule {}
    const options = { connection: redis.url, stream: 'logs', console: false } as const;
    Module({ imports: [RedisLogModule.forRoot(options)], providers: [Jobs] })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    app.useLogger(app.get(RedisLogger));
    await work(app.get(Jobs));
    await new Promise(setImmediate);
    await app.close();
    const records = await storedRecords(redis, 'logs');
    const own = records.filter(({ instrumentationScope: { name } }) => name === 'Task' || name === 'Jobs');
    // All that is logged on the way belongs to the task.
    for (const { attributes } of own) expect(attributes).toHaveProperty('task.id');
    return own;
  }

  it('that returns a promise of another library is done when that is', async () => {
    const records = await recordsOf(async (jobs) => {
      expect(await jobs.query(false)).toBe('rows');
      await expect(jobs.query(true)).rejects.toThrow('no rows');
    });
    expect(titles(records)).toEqual([
      'log: in the query',
      'log: query done',
      'log: in the query',
      'error: query failed',
    ]);
    expect(records[1]?.attributes['duration_ms']).toBeGreaterThanOrEqual(0.9);
  });

  it('that returns an Observable is done when that completes, fails, or is no longer wanted', async () => {
    const records = await recordsOf(async (jobs) => {
      expect(await lastValueFrom(jobs.observable('ends').pipe(toArray()))).toEqual([1, 3]);
      await expect(lastValueFrom(jobs.observable('fails'))).rejects.toThrow('broke');
      await new Promise(setImmediate);
      expect(await firstValueFrom(jobs.observable('lasts'))).toBe(1);
    });
    expect(titles(records)).toEqual([
      'log: in the observable',
      'log: observable done',
      'log: in the observable',
      'error: observable failed',
      'log: in the observable',
      'warn: observable cancelled',
    ]);
  });

  it('that is an async generator is done when its iteration ends', async () => {
    const records = await recordsOf(async (jobs) => {
      expect(await collected(jobs.generator(false))).toEqual([1, 2]);
      await expect(collected(jobs.generator(true))).rejects.toThrow('broke');
      await new Promise(setImmediate);
      for await (const value of jobs.generator(false)) if (value === 1) break;
    });
    expect(titles(records)).toEqual([
      'log: in the generator',
      'log: generator done',
      'log: in the generator',
      'error: generator failed',
      'log: generator done',
    ]);
  });

  it('that returns anything else, a stream too, is done at once, and passes it on as it is', async () => {
    const records = await recordsOf(async (jobs) => {
      const stream = jobs.stream();
      expect(stream).toBeInstanceOf(Readable);
      expect(await collected(stream)).toEqual(['a']);
    });
    expect(titles(records)).toEqual(['log: stream done']);
  });
});
