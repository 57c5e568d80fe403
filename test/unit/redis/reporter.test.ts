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
    late.emit({ severityText: 'log', body: { step: 1 }, attributes: { text: 'x'.repeat(5_000) } });
    expect(lines.at(-1)).toContain('log {"step":1} {"text":"xxx');
    expect(lines.at(-1)?.length).toBeLessThan(2_000);
  });
});
