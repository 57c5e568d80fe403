// Compiled, never run: `npm run typecheck` fails when one of these no longer fits.
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import type { LogRecordExporter, LogRecordProcessor, ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { decodeLogRecord, encodeLogRecord } from '../../src/core.js';
import { RedisBatchLogRecordProcessor, RedisLogRecordExporter } from '../../src/otel/index.js';

const redisExporter = new RedisLogRecordExporter();

/** They are what the SDK's types ask for, without a cast. */
export const exporter: LogRecordExporter = redisExporter;
export const processor: LogRecordProcessor = new RedisBatchLogRecordProcessor({ exporter: redisExporter });
export const sdk = new NodeSDK({
  logRecordProcessors: [processor, new BatchLogRecordProcessor({ exporter })],
});
export const provider = new LoggerProvider({ processors: [processor] });

/** A record of the SDK can be encoded, and what was decoded is a record of the SDK. */
export function passOn(record: ReadableLogRecord): void {
  const decoded = decodeLogRecord(encodeLogRecord(record));
  if (decoded.status === 'ok') exporter.export([decoded.record as ReadableLogRecord], () => undefined);
}
