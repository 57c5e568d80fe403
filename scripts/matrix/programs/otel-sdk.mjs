// OpenTelemetry and ioredis, no Nest: our processor, and our exporter behind the SDK's own processor.
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { RedisBatchLogRecordProcessor, RedisLogRecordExporter } from 'nestjs-redis-log/otel';
import assert from 'node:assert/strict';
import stored from './stored.cjs';

const { connection, stream, expectStored, expectAbsent } = stored;

await expectAbsent('@nestjs/common');
for (const makeProcessor of [
  (exporter) => new RedisBatchLogRecordProcessor({ exporter }),
  (exporter) => new BatchLogRecordProcessor({ exporter }),
]) {
  const exporter = new RedisLogRecordExporter({ connection, stream, service: { name: 'matrix' } });
  const provider = new LoggerProvider({ processors: [makeProcessor(exporter)] });
  const logger = provider.getLogger('matrix', '1.0.0');
  logger.emit({ severityNumber: 9, severityText: 'INFO', body: 'one', attributes: { n: 1 } });
  logger.emit({ severityNumber: 17, severityText: 'ERROR', body: 'two', exception: new TypeError('no') });
  await provider.shutdown();
  const [one, two] = await expectStored(['one', 'two']);
  assert.equal(one.attributes.n, 1);
  assert.equal(one.instrumentationScope.version, '1.0.0');
  assert.equal(two.attributes['exception.message'], 'no');
  assert.equal(exporter.stats().delivered, 2);
}
