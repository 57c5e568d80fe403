import { Logger } from '@nestjs/common';
import { createTestingLogger } from 'nestjs-redis-log/testing';
import { beforeAll, describe, expect, it } from 'vitest';

const { logger } = createTestingLogger();

describe('Orders', () => {
  beforeAll(() => logger.log('before all of them'));

  it('fails', () => {
    logger.log('own line of the failing test', { orderId: 7, password: 'hunter2' }, 'OrdersService');
    new Logger('Payments').error('declined', new Error('no cover', { cause: new Error('quota') }));
    expect(1).toBe(2);
  });

  it('passes', () => {
    logger.log('own line of the passing test');
    new Logger('Payments').error('a line that Nest would print');
    expect(1).toBe(1);
  });

  it.fails('fails as it should', () => {
    logger.log('own line of the test that passes by failing');
    expect(1).toBe(2);
  });

  it.fails('should have failed', () => {
    logger.log('own line of the test that fails by passing');
    expect(1).toBe(1);
  });

  it('fails without a line', () => {
    expect(1).toBe(3);
  });
});
