import 'reflect-metadata';
import { describe, expect, it, vi } from 'vitest';
import type { CallStyle } from '../../../src/nest/logger/call-arguments.js';
import { ConsoleOutput } from '../../../src/nest/logger/console-output.js';
import { safeRedactor } from '../../../src/nest/logger/logger-core.js';
import type { Attributes, SpanContext } from '../../../src/record/log-record.js';

vi.mock('@nestjs/common', async (original) => {
  const { ConsoleLogger } = await import('nest-common-11');
  return { ...(await original<object>()), ConsoleLogger };
});

interface Around {
  readonly style?: CallStyle;
  readonly attributes?: Attributes;
  readonly spanContext?: SpanContext;
}

/** What one call prints on Nest 11. */
function printed(format: 'pretty' | 'json', args: readonly unknown[], around: Around = {}): string[] {
  const lines: string[] = [];
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => lines.push(String(text)) > 0),
  );
  try {
    const { style = 'structured', attributes, spanContext } = around;
    const output = new ConsoleOutput(format, safeRedactor(undefined));
    output.print('error', args, { style, context: undefined, attributes, spanContext });
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return lines;
}

const parsed = (lines: readonly string[]): Attributes[] =>
  lines.map((line) => JSON.parse(line) as Attributes);

describe('On Nest 11 with structuredParams, a call', () => {
  it('is one line of JSON, with its parameters and its error', () => {
    const error = Object.assign(new TypeError('refused'), { code: 'E_NO' });
    const args = ['payment failed', { orderId: 7, password: 'x' }, error, { step: 2 }, 'Payments'];
    expect(parsed(printed('json', args))).toMatchObject([
      {
        level: 'error',
        message: 'payment failed',
        context: 'Payments',
        params: { orderId: 7, password: '[Redacted]', step: 2 },
        error: { name: 'TypeError', message: 'refused', code: 'E_NO', stack: error.stack },
      },
    ]);
    expect(parsed(printed('json', [error, 'Payments']))).toMatchObject([
      { message: 'refused', error: { name: 'TypeError' } },
    ]);
  });

  it('is one line in colours too', () => {
    const lines = printed('pretty', ['payment failed', { orderId: 7 }, 'Payments']);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/payment failed.* \{ orderId: .*7.* \}\n$/);
  });
});

describe('On Nest 11 without it, a call', () => {
  it('is as many lines as there are messages, each with the context in which it was made', () => {
    const spanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 };
    const around = { style: 'separate', attributes: { 'request.id': 'r1' }, spanContext } as const;
    const beside = { params: { 'request.id': 'r1' }, trace_id: '1'.repeat(32), span_id: '2'.repeat(16) };
    expect(parsed(printed('json', ['m', { orderId: 7 }, 'Ctx'], around))).toMatchObject([
      { message: 'm', ...beside },
      { message: { orderId: 7 }, ...beside },
    ]);
  });
});
