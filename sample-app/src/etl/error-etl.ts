import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { OnLogs } from 'nestjs-redis-log';
import type { LogBatch, LogEntry } from 'nestjs-redis-log/consumer';
import { type ErrorRow, ErrorStore } from './error-store.js';

/** OpenTelemetry's number; what is above is worse. */
const ERROR = 17;

export const ETL_GROUP = 'errors-to-sqlite';

/** Reads the stream of the shop and keeps its errors. */
@Injectable()
export class ErrorEtl implements OnApplicationShutdown {
  readonly #logger = new Logger(ErrorEtl.name);
  readonly #store: ErrorStore;

  constructor(store: ErrorStore) {
    this.#store = store;
  }

  @OnLogs({
    group: ETL_GROUP,
    stream: process.env['ETL_SOURCE'] || 'logs:shop',
    maxWaitMs: 200,
    // How long a batch of a worker that was killed waits for another one. A second is short, so that the demo can show it.
    minIdleMs: 1_000,
  })
  store({ entries }: LogBatch): void {
    const rows = entries.filter(({ record }) => (record.severityNumber ?? 0) >= ERROR).map(toRow);
    if (rows.length === 0) return;
    this.#store.save(rows);
    this.#logger.log('Errors stored', { errors: rows.length, records: entries.length });
  }

  /** The consumer has been stopped by now. */
  onApplicationShutdown(): void {
    this.#store.close();
  }
}

function toRow({ key, id, record }: LogEntry): ErrorRow {
  const { body, attributes, hrTime, instrumentationScope, spanContext } = record;
  const exception = attributes['exception.stacktrace'];
  return {
    key,
    entryId: id,
    loggedAt: new Date(hrTime[0] * 1_000 + hrTime[1] / 1e6).toISOString(),
    scope: instrumentationScope.name,
    message: typeof body === 'string' ? body : JSON.stringify(body),
    exception: typeof exception === 'string' ? exception : null,
    traceId: spanContext?.traceId ?? null,
  };
}
