// Libraries that log through the global Logs API, of whichever generation is installed.
import { registerGlobalLogs, RedisLogRecordExporter } from 'nestjs-redis-log/otel';
import assert from 'node:assert/strict';
import stored from './stored.cjs';

const { connection, stream, expectStored } = stored;
const apis = [];
const { logs } = await import('@opentelemetry/api');
if (logs !== undefined) apis.push(logs);
const older = await import('@opentelemetry/api-logs').catch(() => undefined);
if (older !== undefined) apis.push(older.logs);
assert.ok(apis.length > 0);

const exporter = new RedisLogRecordExporter({ connection, stream, service: { name: 'matrix' } });
const unregister = registerGlobalLogs(exporter);
for (const api of apis) api.getLogger('library', '1').emit({ severityNumber: 9, body: 'taken in' });
unregister();
for (const api of apis) api.getLogger('library', '1').emit({ severityNumber: 9, body: 'not ours any more' });
await exporter.shutdown();
await expectStored(apis.map(() => 'taken in'));
