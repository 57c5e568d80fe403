import 'reflect-metadata';
import { createTestingLogger } from 'nestjs-redis-log/testing';
import { describe, expect, it } from 'vitest';

function someLogs() {
  const { logger, logs } = createTestingLogger();
  logger.log('Order placed', { orderId: 7 }, 'OrdersService');
  logger.log('Order placed', { orderId: 8 }, 'OrdersService');
  logger.error('payment failed', { orderId: 8 }, 'PaymentService');
  return logs;
}

function failureOf(assertion: () => unknown): string {
  try {
    assertion();
  } catch (error) {
    expect(error).toHaveProperty('name', 'LogAssertionError');
    return (error as Error).message;
  }
  return 'nothing was thrown';
}

describe('An assertion on collected logs', () => {
  it('passes where the count is right, and returns the records', () => {
    const logs = someLogs();
    const [record] = logs
      .at('error')
      .inContext('PaymentService')
      .withMessage(/failed/)
      .exactly(1);
    expect(record?.attributes).toEqual({ orderId: 8 });
    expect(logs.withAttributes({ orderId: 8 }).atLeast(1)).toHaveLength(2);
    logs.at('fatal').none();
    logs.at('fatal').exactly(0);
  });

  it('shows the nearest records where there is none, and what is different about them', () => {
    const logs = someLogs();
    const wanted = logs.at('error').inContext('OrdersService').withAttributes({ orderId: 8 });
    expect(failureOf(() => wanted.exactly(1))).toBe(
      [
        'Expected exactly 1 record, at error, in context OrdersService, with attributes { orderId: 8 }; found 0.',
        'Nearest of 3 records:',
        '  LOG [OrdersService] Order placed { orderId: 8 }',
        '    not at error',
        '  ERROR [PaymentService] payment failed { orderId: 8 }',
        '    not in context OrdersService',
        '  LOG [OrdersService] Order placed { orderId: 7 }',
        '    not at error, not with attributes { orderId: 8 }',
      ].join('\n'),
    );
  });

  it('shows what was found where that is too much or too little', () => {
    const logs = someLogs();
    const placed = logs.withMessage('Order placed');
    const found = [
      '  LOG [OrdersService] Order placed { orderId: 7 }',
      '  LOG [OrdersService] Order placed { orderId: 8 }',
    ];
    const query = "with message 'Order placed'; found 2:";
    expect(failureOf(() => placed.none())).toBe([`Expected no records, ${query}`, ...found].join('\n'));
    expect(failureOf(() => placed.atLeast(3))).toBe(
      [`Expected at least 3 records, ${query}`, ...found].join('\n'),
    );
  });

  it('says that nothing was logged at all', () => {
    const { logs } = createTestingLogger();
    expect(failureOf(() => logs.exactly(1))).toBe(
      'Expected exactly 1 record; found 0.\nNothing was logged at all.',
    );
  });

  it('stays readable with very many records, and values of every kind', () => {
    const { logger, logs } = createTestingLogger();
    for (let n = 0; n < 100; n++) logger.log({ n, text: 'x'.repeat(10_000) });
    const failure = failureOf(() => logs.at('warn').exactly(1));
    expect(failure.length).toBeLessThan(5_000);
    expect(failure).toContain('and 95 more');
  });

  it('points at the line of the test', () => {
    const { logs } = createTestingLogger();
    try {
      logs.exactly(1);
    } catch (error) {
      const [, first] = (error as Error).stack?.split(/\n\s+at /) ?? [];
      expect(first).toContain('assertions.test.ts');
      return;
    }
    expect.unreachable();
  });
});
