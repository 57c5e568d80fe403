import { RedisLogRecordExporter } from 'nestjs-redis-log';
import type { LogRecord } from '../../../src/record/log-record.js';
import type { SharedRedis } from '../../support/use-redis-server.js';
import { storedRecords } from '../nest/support.js';

/** An exporter to the stream `logs`; `finish` closes it and reads what it has stored. */
export function exporterTo(redis: SharedRedis): {
  readonly exporter: RedisLogRecordExporter;
  finish(): Promise<LogRecord[]>;
} {
  const exporter = new RedisLogRecordExporter({ connection: redis.url, stream: 'logs' });
  return {
    exporter,
    finish: async () => {
      await exporter.shutdown();
      return storedRecords(redis.server, 'logs');
    },
  };
}

/** An error with everything that loggers tend to lose. */
export function declined(): Error {
  const error = new TypeError('declined', { cause: new Error('quota') });
  return Object.assign(error, { code: 'E_CARD' });
}
