import type { TestingModuleBuilder } from '@nestjs/testing';
import { REDIS_LOG_OPTIONS, RedisLogger, RedisLogRecordExporter } from '../index.js';
import { resolveModuleOptions } from '../options/resolve.js';
import type { ResolvedWriterOptions } from '../options/types.js';
import { DetachedExporter } from '../otel/detached-exporter.js';
import { CollectedLogs } from './collected-logs.js';

/** What the options come to; the same symbol as in the module. */
const RESOLVED = Symbol.for('nestjs-redis-log.resolved');

/**
 * Puts a collecting logger in the place of Redis, for an application whose modules import `RedisLogModule`. Nothing is
 * connected or printed; levels and `redact` work as in the application. Nest's own `new Logger(...)` is collected too.
 *
 * @example
 * const builder = Test.createTestingModule({ imports: [AppModule] });
 * const logs = provideRedisLogTesting(builder);
 * const app = (await builder.compile()).createNestApplication();
 * await app.get(OrdersService).place();
 * expect(logs.inContext('OrdersService').messages).toEqual(['Order placed']);
 *
 * @param builder of `Test.createTestingModule`, before `compile()`
 */
export function provideRedisLogTesting(builder: TestingModuleBuilder): CollectedLogs {
  const logs = new CollectedLogs();
  builder
    .overrideProvider(RESOLVED)
    .useFactory({ factory: resolveForTest, inject: [{ token: REDIS_LOG_OPTIONS, optional: true }] });
  builder.overrideProvider(RedisLogRecordExporter).useFactory({
    factory: ({ writer }: { readonly writer: ResolvedWriterOptions }) =>
      new DetachedExporter(writer, (record) => logs.add(record)),
    inject: [RESOLVED],
  });
  // Nest's own logger of tests is silent, and would take what services log.
  builder.setLogger(RedisLogger.early());
  return logs;
}

/** The application's own options, so that a test meets their mistakes too; only where the records go is ours. */
function resolveForTest(options: unknown): object {
  const { writer, logger } = resolveModuleOptions(options);
  const output = { console: false, consoleIsDefault: false, enabled: true } as const;
  return { writer, logger: { ...logger, ...output }, exporter: undefined, startsAtOnce: true };
}
