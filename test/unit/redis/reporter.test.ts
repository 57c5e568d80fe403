import { describe, expect, it } from 'vitest';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { RedisLogWriter } from '../../../src/core.js';

function closedWriter(): { readonly lines: string[]; readonly writer: Promise<RedisLogWriter> } {
  const lines: string[] = [];
  const diagnostics = createDiagnostics({ write: (line) => lines.push(line) });
  const made = new RedisLogWriter({ connection: 'redis://127.0.0.1:1' }, { diagnostics });
  return { lines, writer: made.close({ timeoutMs: 1 }).then(() => made) };
}

describe('A record that comes after the end', () => {
  it('is printed with its attributes and the stack of its error, on one line', async () => {
    const { lines, writer } = closedWriter();
    const late = await writer;
    late.emit({
      severityNumber: 9,
      severityText: 'log',
      body: 'payment refused',
      scope: { name: 'Payments' },
      attributes: { 'order.id': 7, 'exception.stacktrace': 'Error: no\n    at pay (pay.ts:3:1)' },
    });
    expect(lines.at(-1)).toBe(
      '[nestjs-redis-log] error: not stored (closed): log Payments payment refused {"order.id":7} Error: no     at pay (pay.ts:3:1)',
    );
    expect(late.stats()).toMatchObject({ emitted: 1, dropped: { closed: 1 } });
  });

  it('is printed whatever its message is, and cut where it is long', async () => {
    const { lines, writer } = closedWriter();
    const late = await writer;
    late.emit({ severityText: 'log', body: { step: 1 }, attributes: { text: 'x'.repeat(20_000) } });
    expect(lines.at(-1)).toContain('log {"step":1} {"text":"xxx');
    expect(lines.at(-1)?.length).toBeLessThan(8_100);
  });
});

describe('An error that is dropped while Redis is away', () => {
  function fullWriter(): { readonly lines: string[]; readonly writer: RedisLogWriter } {
    const lines: string[] = [];
    const diagnostics = createDiagnostics({ write: (line) => lines.push(line) });
    const options = { connection: 'redis://127.0.0.1:1', queue: { maxRecords: 1 }, shutdownTimeoutMs: 1 };
    return { lines, writer: new RedisLogWriter(options, { diagnostics }) };
  }

  const error = {
    'order.id': 7,
    'exception.type': 'TypeError',
    'exception.message': 'no',
    'exception.stacktrace': 'TypeError: no\n    at pay (pay.ts:3:1)',
  };

  it('is printed as a whole, since it is nowhere else', async () => {
    const { lines, writer } = fullWriter();
    const scope = { name: 'Payments' };
    for (const severityNumber of [17, 21]) {
      writer.emit({ severityNumber, severityText: 'error', body: { step: 1 }, scope, attributes: error });
    }
    const whole =
      'error Payments {"step":1} {"order.id":7,"exception.type":"TypeError","exception.message":"no"} TypeError: no     at pay (pay.ts:3:1)';
    expect(lines.filter((line) => line.includes('not stored'))).toEqual([
      `[nestjs-redis-log] error: not stored (queue_full): ${whole}`,
    ]);
    await writer.close({ timeoutMs: 1 });
    expect(lines.filter((line) => line.endsWith(`not stored (closed): ${whole}`))).toHaveLength(1);
  });

  it('is counted where there are more than ten in a second; what is less severe is not printed at all', async () => {
    const { lines, writer } = fullWriter();
    for (let n = 0; n < 500; n++) {
      writer.emit({ severityNumber: 9, body: `fine ${n}`, attributes: {} });
      writer.emit({ severityNumber: 17, body: `failed ${n}`, attributes: error });
    }
    const printed = lines.filter((line) => line.includes('not stored'));
    expect(printed.length).toBeGreaterThanOrEqual(10);
    expect(printed.length).toBeLessThanOrEqual(40);
    expect(printed.every((line) => line.includes('failed'))).toBe(true);
    await writer.close({ timeoutMs: 1 });
  });
});
