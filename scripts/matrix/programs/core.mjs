// ioredis and nothing else: no Nest, no OpenTelemetry.
import { RedisLogWriter } from 'nestjs-redis-log/core';
import assert from 'node:assert/strict';
import stored from './stored.cjs';

const { connection, stream, expectStored, expectAbsent } = stored;
await expectAbsent('@nestjs/common');
await expectAbsent('@opentelemetry/api');
const writer = new RedisLogWriter({ connection, stream, service: { name: 'matrix' } });
const bodies = Array.from({ length: 1_000 }, (_, n) => `record ${n}`);
for (const body of bodies) writer.emit({ severityNumber: 9, body, attributes: { even: body.endsWith('0') } });
const result = await writer.close();
assert.equal(result.delivered, 1_000);
assert.equal(writer.stats().delivery, 'exactly-once');
await expectStored(bodies);
