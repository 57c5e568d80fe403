import 'reflect-metadata';
import { type INestApplicationContext, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BatchLogRecordProcessor, InMemoryLogRecordExporter } from '@opentelemetry/sdk-logs';
import { RedisLogger, RedisLogModule, type RedisLogModuleOptions } from 'nestjs-redis-log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LogProcessor } from '../../../src/options/types.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { saidDuring, storedRecords } from '../nest/support.js';

type SdkLogRecord = Parameters<BatchLogRecordProcessor['onEmit']>[0];

let redis: RedisServer;
let app: INestApplicationContext | undefined;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());
beforeEach(() => redis.client().flushall());
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function start(options: RedisLogModuleOptions): Promise<RedisLogger> {
  class AppModule {}
  const settings = { connection: redis.url, stream: 'logs', console: false, ...options } as const;
  Module({ imports: [RedisLogModule.forRoot(settings)] })(AppModule);
  app = await NestFactory.createApplicationContext(AppModule, { abortOnError: false, logger: false });
  app.useLogger(app.get(RedisLogger));
  return app.get(RedisLogger);
}

describe('Log record processors of an application', () => {
  it('see every record, as those of the OpenTelemetry SDK do, and are shut down with the module', async () => {
    const exporter = new InMemoryLogRecordExporter();
    const processor = new BatchLogRecordProcessor({ exporter });
    await start({ processors: [processor as LogProcessor] });
    new Logger('Orders').warn('from Nest', { orderId: 7, password: 'geheim' });
    await processor.forceFlush();
    const [record] = exporter.getFinishedLogRecords();
    expect(record).toMatchObject({
      body: 'from Nest',
      severityNumber: 13,
      instrumentationScope: { name: 'Orders' },
      attributes: { orderId: 7, password: '[Redacted]' },
    });
    expect(record?.resource.attributes).toHaveProperty('service.name');
    await app?.close();
    app = undefined;
    // A processor that was shut down has emptied its exporter.
    expect(exporter.getFinishedLogRecords()).toEqual([]);
  });

  it('may change the record until they return, and what they add is censored like the rest', async () => {
    let late: SdkLogRecord | undefined;
    const logger = await start({
      processors: [
        {
          onEmit(record) {
            const open = record as SdkLogRecord;
            open.setAttribute('tenant', 'acme').setAttributes({ token: 'S3CR3T' });
            open.setBody('changed').setSeverityText('notice');
            late = open;
          },
        },
      ],
    });
    logger.log('original');
    late?.setBody('too late');
    await logger.flush();
    const [stored] = await storedRecords(redis, 'logs');
    expect(stored).toMatchObject({
      body: 'changed',
      severityText: 'notice',
      attributes: { tenant: 'acme', token: '[Redacted]' },
    });
  });

  it('that throw are told of, and stop neither the record nor the application', async () => {
    const said = await saidDuring(async () => {
      const failing = {
        onEmit(): void {
          throw new Error('S3CR3T');
        },
        shutdown: (): Promise<void> => Promise.reject(new Error('S3CR3T')),
      };
      const logger = await start({ processors: [failing] });
      logger.log('still stored');
      await logger.flush();
      await app?.close();
      app = undefined;
    });
    expect(await storedRecords(redis, 'logs')).toMatchObject([{ body: 'still stored' }]);
    expect(said.filter((line) => line.includes('log record processor failed'))).toHaveLength(1);
    expect(said.join('\n')).not.toContain('S3CR3T');
  });

  it('are refused where they are none', async () => {
    const none = [{}] as unknown as LogProcessor[];
    await expect(start({ processors: none })).rejects.toThrow(/processors.*onEmit/);
  });
});
