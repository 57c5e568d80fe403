import type { LogInput, RedisLogWriterOptions } from 'nestjs-redis-log/core';
import { RedisLogWriter } from 'nestjs-redis-log/core';
import { createDiagnostics } from '../../../src/diagnostics.js';
import type { RedisServer } from '../../support/redis-server.js';

export interface Written {
  readonly writer: RedisLogWriter;
  /** What the writer said on stderr. */
  readonly said: string[];
}

/** A writer whose diagnostics a test can read. */
export function openWriter(redis: { readonly url: string }, options: RedisLogWriterOptions): Written {
  const said: string[] = [];
  const diagnostics = createDiagnostics({ write: (line) => said.push(line) });
  return { writer: new RedisLogWriter({ connection: redis.url, ...options }, { diagnostics }), said };
}

/** Writes the records with these options, and closes. */
export async function write(
  redis: RedisServer,
  options: RedisLogWriterOptions,
  records: readonly LogInput[],
): Promise<Written> {
  const opened = openWriter(redis, options);
  for (const record of records) opened.writer.emit(record);
  await opened.writer.close();
  return opened;
}

/** The account must add up whatever happened: see `LogStats`. */
export function accountGap(writer: RedisLogWriter): number {
  const { emitted, recovered, delivered, queued, spooled, inFlight, unconfirmed, dropped } = writer.stats();
  const lost = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  return emitted + recovered - (delivered + queued + spooled + inFlight + unconfirmed + lost);
}

export const AT: [number, number] = [1_795_000_000, 123_456_789];
export const SPAN = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  traceFlags: 1,
} as const;
