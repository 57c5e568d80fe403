import { execFile, execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RedisLogWriter } from '../../../src/core.js';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';

const STREAM = 'logs:orders';
const TRACE = '0af7651916cd43dd8448eb211c80319c';

let server: RedisServer;

beforeAll(async () => {
  server = await startRedisServer();
  await using writer = new RedisLogWriter({
    connection: server.url,
    stream: STREAM,
    service: { name: 'orders' },
  });
  for (let i = 0; i < 30; i++) {
    writer.emit({
      body: `Order ${i} placed`,
      severityNumber: 9,
      severityText: 'log',
      timestamp: 1_790_000_000_000 + i,
      scope: { name: 'OrdersService' },
      spanContext: { traceId: TRACE, spanId: 'b7ad6b7169203331', traceFlags: 1 },
      attributes: { 'order.id': i, 'user.id': 'u-1', paid: true },
    });
  }
  await writer.flush();
});

afterAll(async () => {
  await server.stop();
});

describe('Readers that know nothing of this package', () => {
  it('Python, as its redis-streams package reads, gets every record as plain fields', async () => {
    const program = fileURLToPath(new URL('group_reader.py', import.meta.url));
    const { stdout } = await promisify(execFile)('python3', [program, String(server.port), STREAM, '30']);
    const records = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, string>);
    expect(records).toHaveLength(30);
    for (const [i, fields] of records.entries()) {
      expect(fields).toMatchObject({
        timestamp: `${1_790_000_000_000 + i}000000`,
        severity_number: '9',
        severity_text: 'log',
        body: `Order ${i} placed`,
        trace_id: TRACE,
        'otel.scope.name': 'OrdersService',
        'service.name': 'orders',
        seq: String(i + 1),
        'order.id': String(i),
        'user.id': 'u-1',
        paid: 'true',
      });
    }
  });

  it('redis-cli shows the same', () => {
    const args = ['-p', String(server.port), 'XRANGE', STREAM, '-', '+', 'COUNT', '1'];
    const lines = execFileSync('redis-cli', args, { encoding: 'utf8' }).trim().split('\n');
    const fields = Object.fromEntries(
      lines.slice(1).flatMap((name, i, all) => (i % 2 === 0 ? [[name, all[i + 1]]] : [])) as [
        string,
        string,
      ][],
    );
    expect(fields).toMatchObject({ body: 'Order 0 placed', trace_id: TRACE, 'order.id': '0', paid: 'true' });
  });
});
