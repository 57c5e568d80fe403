import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageTemplate } from '../../../src/record/message-template.js';

describe('A message template', () => {
  it.each([
    ['User 17 paid order "A-9" from 10.0.0.7', 'User <n> paid order <text> from <ip>'],
    ['took 12.5ms', 'took <n>ms'],
    ['at 2026-11-21T12:00:03.125Z', 'at <n>T<n>Z'],
    ['GET /orders/4711/items/8 200', 'GET /orders/<n>/items/<n> <n>'],
    ['job 550e8400-e29b-41d4-a716-446655440000 done', 'job <id> done'],
    ['id:550e8400-e29b-41d4-a716-446655440000', 'id:<id>'],
    ['object 507f1f77bcf86cd799439011', 'object <id>'],
    ['pointer 0x7ffe', 'pointer <id>'],
    ['customer cus_NffrFeUfNV2Hib', 'customer cus_<id>'],
    ['mail to ann.lee+shop@example.com failed', 'mail to <email> failed'],
    ['mail to Ann <ann@example.com>', 'mail to Ann <email>'],
    ['peer 2001:db8::1 and 10.0.0.1:6379', 'peer <ip> and <ip>'],
    ['clock 12:30:45', 'clock <n>'],
    ['worker3 of v2', 'worker<n> of v<n>'],
    ["don't touch 'this one'", "don't touch <text>"],
    ['{"id":7,"name":"x"}', '{<text>:<n>,<text>:<text>}'],
    ['an open "quotation', 'an open "quotation'],
    ['déjà vu nº 5', 'déjà vu nº <n>'],
    ['', ''],
  ])('masks what differs from call to call: %s', (text, template) => {
    expect(messageTemplate(text)).toBe(template);
  });

  it('leaves words alone, however they look', () => {
    const text = 'Mapped {/orders, GET} route in OrdersController; deadbeef is a word, and so is cafe';
    expect(messageTemplate(text)).toBe(text);
  });

  it('is the same for all messages of one log statement', () => {
    fc.assert(
      fc.property(fc.nat(), fc.uuid(), fc.ipV4(), (order, user, address) => {
        const text = `Order ${order} of user ${user} at ${address} costs ${order % 97} cents`;
        expect(messageTemplate(text)).toBe('Order <n> of user <id> at <ip> costs <n> cents');
      }),
    );
  });

  const piece = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.uuid(),
    fc.emailAddress(),
    fc.ipV4(),
    fc.ipV6(),
    fc.constantFrom('"', "'", '`', ' ', '@', '.', ':', '-', '<', '>', '<n>', '<text>', '5', 'a', '::', '\n'),
  );

  it('is its own template, whatever the text', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const template = messageTemplate(pieces.join(''));
        expect(messageTemplate(template)).toBe(template);
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['apostrophes that open and never close', " 'a"],
    ['quotation marks', '"'],
    ['digits', '7'],
    ['groups of an address', '1.'],
    ['at signs', 'a@'],
    ['colons', 'a:'],
    ['hexadecimal digits with dashes', 'a1-'],
    ['unfinished ids', '550e8400-e29b-41d4-a716-'],
  ])('takes time in proportion to the text: %s', (_, unit) => {
    const timeOf = (length: number): number => {
      const text = unit.repeat(Math.ceil(length / unit.length));
      const start = performance.now();
      messageTemplate(text);
      return performance.now() - start;
    };
    timeOf(10_000);
    // A quadratic one would take minutes for this.
    expect(timeOf(2_000_000)).toBeLessThan(5_000);
  });
});
