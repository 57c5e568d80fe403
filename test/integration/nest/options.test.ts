import 'reflect-metadata';
import { Inject, Injectable, Module, type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  RedisLogger,
  RedisLogModule,
  type RedisLogModuleOptions,
  type RedisLogOptionsFactory,
  RedisLogRecordExporter,
} from 'nestjs-redis-log';
import { ConsoleLogRecordExporter } from '@opentelemetry/sdk-logs';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { lines, storedRecords } from './support.js';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
afterEach(() => vi.unstubAllEnvs());

const QUIET = { logger: false, abortOnError: false } as const;

async function errorOf(
  ...imports: (DynamicModule | typeof RedisLogModule)[]
): Promise<{ code?: string; message: string }> {
  class AppModule {}
  Module({ imports })(AppModule);
  const boot = NestFactory.createApplicationContext(AppModule, QUIET);
  return boot.then(
    async (app) => {
      await app.close();
      throw new Error('It booted.');
    },
    (error: Error) => error,
  );
}

/** Boots, logs one line, closes, and gives what is in the stream then. */
async function logged(imports: DynamicModule[], stream: string): Promise<string[]> {
  class AppModule {}
  Module({ imports })(AppModule);
  const app = await NestFactory.createApplicationContext(AppModule, QUIET);
  app.get(RedisLogger).log('hello', 'Test');
  await app.close();
  return lines(await storedRecords(redis, stream));
}

describe('Options that cannot be right', () => {
  it('stop the start with one error that names all of them', async () => {
    const options = { streem: 'x', level: 'info', redact: ['a[', 'b..c', 'fine'], queue: { maxRecords: 0 } };
    const error = await errorOf(RedisLogModule.forRoot(options as unknown as RedisLogModuleOptions));
    expect(error.code).toBe('REDIS_LOG_INVALID_OPTIONS');
    for (const part of [
      '5 problems',
      'streem',
      'Did you mean stream',
      'level',
      'queue.maxRecords',
      '"a["',
      '"b..c"',
    ]) {
      expect(error.message).toContain(part);
    }
  });

  it('stop it as well where a factory gives them', async () => {
    const useFactory = (): RedisLogModuleOptions => ({ redact: ['a['], sendTimeoutMs: 0 });
    const error = await errorOf(RedisLogModule.forRootAsync({ useFactory }));
    expect(error.message).toContain('2 problems');
    expect(error.message).toContain('sendTimeoutMs');
  });

  it('are named with the environment variable that they come from', async () => {
    vi.stubEnv('REDIS_LOG_LEVEL', 'loud');
    expect((await errorOf(RedisLogModule.forRoot())).message).toContain('REDIS_LOG_LEVEL');
  });

  it('are those that an exporter given along with them has settled already', async () => {
    const exporter = new RedisLogRecordExporter({ connection: redis.url });
    const error = await errorOf(
      RedisLogModule.forRoot({ exporter, stream: 'elsewhere', batch: { maxRecords: 1 } }),
    );
    expect(error.message).toContain('- stream: has no effect beside exporter');
    expect(error.message).toContain('- batch: has no effect beside exporter');
    await exporter.shutdown();
  });

  it('are exporters of somebody else', async () => {
    const exporter = new ConsoleLogRecordExporter() as unknown as RedisLogRecordExporter;
    expect((await errorOf(RedisLogModule.forRoot({ exporter }))).message).toContain(
      '- exporter: is an exporter of something else',
    );
  });

  it('are refused by the exporter alone in the same way', () => {
    const make = (): unknown => new RedisLogRecordExporter({ redact: ['a[', 'b['], sendTimeoutMs: 0 });
    expect(make).toThrow(/3 problems/);
  });
});

describe('A module that is imported wrongly says so', () => {
  it('when it is imported twice', async () => {
    const error = await errorOf(RedisLogModule.forRoot(), RedisLogModule.forRoot());
    expect(error).toMatchObject({ code: 'REDIS_LOG_MODULE_MISUSED' });
    expect(error.message).toContain('more than once');
  });

  it('when it is imported bare, alone or beside a proper import', async () => {
    expect((await errorOf(RedisLogModule)).message).toContain('imported bare');
    expect((await errorOf(RedisLogModule.forRoot(), RedisLogModule)).message).toContain('imported bare');
    expect((await errorOf(RedisLogModule, RedisLogModule.forRoot({ isGlobal: false }))).message).toContain(
      'imported bare',
    );
  });

  it('when forRootAsync() has no source of options, or two', () => {
    expect(() => RedisLogModule.forRootAsync({})).toThrow(/exactly one of/);
    const useFactory = (): RedisLogModuleOptions => ({});
    class Options implements RedisLogOptionsFactory {
      createRedisLogOptions = useFactory;
    }
    expect(() => RedisLogModule.forRootAsync({ useFactory, useClass: Options })).toThrow(/exactly one of/);
  });

  it('when RedisLogger is listed among the providers', async () => {
    class AppModule {}
    Module({ providers: [RedisLogger] })(AppModule);
    await expect(NestFactory.createApplicationContext(AppModule, QUIET)).rejects.toThrow(
      /Import RedisLogModule.forRoot/,
    );
  });
});

describe('Options come from', () => {
  it('the environment, where nothing is given', async () => {
    vi.stubEnv('REDIS_LOG_URL', redis.url);
    vi.stubEnv('REDIS_LOG_STREAM', 'from-environment');
    expect(await logged([RedisLogModule.forRoot()], 'from-environment')).toEqual(['Test: hello']);
  });

  it('a factory with what it injects, also a slow one', async () => {
    @Module({ providers: [{ provide: 'STREAM', useValue: 'from-factory' }], exports: ['STREAM'] })
    class ConfigModule {}
    const module = RedisLogModule.forRootAsync({
      imports: [ConfigModule],
      inject: ['STREAM'],
      useFactory: async (stream: string) => {
        await new Promise(setImmediate);
        return { connection: redis.url, stream };
      },
    });
    expect(await logged([module], 'from-factory')).toEqual(['Test: hello']);
  });

  it('a class with dependencies, made for the module', async () => {
    @Module({ providers: [{ provide: 'STREAM', useValue: 'from-class' }], exports: ['STREAM'] })
    class ConfigModule {}
    @Injectable()
    class Options implements RedisLogOptionsFactory {
      @Inject('STREAM') private readonly stream!: string;
      createRedisLogOptions(): RedisLogModuleOptions {
        return { connection: redis.url, stream: this.stream };
      }
    }
    const module = RedisLogModule.forRootAsync({ imports: [ConfigModule], useClass: Options });
    expect(await logged([module], 'from-class')).toEqual(['Test: hello']);
  });

  it('an instance that exists already', async () => {
    @Injectable()
    class Options implements RedisLogOptionsFactory {
      async createRedisLogOptions(): Promise<RedisLogModuleOptions> {
        return { connection: redis.url, stream: 'from-existing' };
      }
    }
    @Module({ providers: [Options], exports: [Options] })
    class ConfigModule {}
    const module = RedisLogModule.forRootAsync({ imports: [ConfigModule], useExisting: Options });
    expect(await logged([module], 'from-existing')).toEqual(['Test: hello']);
  });
});

describe('The module is', () => {
  @Injectable()
  class Feature {
    @Inject(RedisLogger) readonly logger!: RedisLogger;
  }
  @Module({ providers: [Feature], exports: [Feature] })
  class FeatureModule {}

  it('global unless told otherwise', async () => {
    class AppModule {}
    Module({ imports: [RedisLogModule.forRoot({ connection: redis.url }), FeatureModule] })(AppModule);
    const app = await NestFactory.createApplicationContext(AppModule, QUIET);
    expect(app.get(Feature).logger).toBe(app.get(RedisLogger));
    await app.close();
    const local = RedisLogModule.forRootAsync({
      isGlobal: false,
      useFactory: () => ({ connection: redis.url }),
    });
    expect((await errorOf(local, { module: FeatureModule })).message).toContain('RedisLogger');
  });
});
