import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { decodeLogRecord } from 'nestjs-redis-log/core';
import { DIAGNOSTICS_CHANNEL, type DiagnosticEvent } from '../../../src/diagnostics.js';
import type { LogRecord } from '../../../src/record/log-record.js';
import type { RedisServer } from '../../support/redis-server.js';

/** All records of a stream, the oldest first. */
export async function storedRecords(server: RedisServer, stream: string): Promise<LogRecord[]> {
  const entries = await server.client().xrange(stream, '-', '+');
  return entries.map(([, fields]) => {
    const result = decodeLogRecord(fields);
    if (result.status !== 'ok') throw new Error(result.reason);
    return result.record;
  });
}

/** `context: message` of each. */
export function lines(records: readonly LogRecord[]): string[] {
  return records.map(({ instrumentationScope, body }) => `${instrumentationScope.name}: ${String(body)}`);
}

/** How many connections of ours the server has. */
export async function connections(server: RedisServer): Promise<number> {
  const list = String(await server.client().client('LIST'));
  return list.split('\n').filter((line) => line.includes(' name=nestjs-redis-log ')).length;
}

/** What the package says of itself while `work` lasts. */
export async function saidDuring(work: () => Promise<void>): Promise<string[]> {
  const said: string[] = [];
  const listen = (event: unknown): number => said.push((event as DiagnosticEvent).message);
  subscribe(DIAGNOSTICS_CHANNEL, listen);
  try {
    await work();
  } finally {
    unsubscribe(DIAGNOSTICS_CHANNEL, listen);
  }
  return said;
}
