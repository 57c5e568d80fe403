import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageTemplate } from '../../../src/record/message-template.js';

type Pick = (characters: string, length: number) => string;

const HEXADECIMAL = '0123456789abcdef';
const ALPHANUMERIC = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const URL_SAFE = `${ALPHANUMERIC}-_`;
/** Without vowels and what looks like one, so that no name is a word. */
const KUBERNETES = 'bcdfghjklmnpqrstvwxz2456789';

/** The same texts in every run. */
function picker(): Pick {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return (characters, length) =>
    Array.from({ length }, () => characters.charAt(Math.floor(next() * characters.length))).join('');
}

describe('A message template', () => {
  it.each([
    ['User 17 paid order "A-9" from 10.0.0.7', 'User <n> paid order <text> from <ip>'],
    ['took 12.5ms', 'took <n>ms'],
    ['at 2026-11-21T12:00:03.125Z', 'at <n>T<n>Z'],
    ['GET /orders/4711/items/8 200', 'GET /orders/<n>/items/<n> 200'],
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
    ['request V1StGXR8_Z5jdHi6B-myT', 'request <id>'],
    ['request IRFa-VaY2b', 'request <id>'],
    ['user usr_2f9Xk1LmQz', 'user usr_<id>'],
    ['commit a1b2c3d', 'commit <id>'],
    ['from 00:1A:2b:3c:4D:5e', 'from <id>'],
    ['token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVP-mB92K27_uhbUJU1p1r', 'token <id>'],
    ['key 9tY_-2LXp0sVdHqk3Zr7bA1w', 'key <id>'],
    ['pod app-7d9f8b6c5d-x2x9z of order-service-stsw4cflfb-dvkrm', 'pod app-<id> of order-service-<id>'],
    ['producer zL4yqvGmy-ec', 'producer <id>'],
    ['took 10h30m15s', 'took <n>h<n>m<n>s'],
    ['[DELETE /orders/4711?soft=1 HTTP/1.1] 204', '[DELETE /orders/<n>?soft=<n> HTTP/<n>] 204'],
    ['DELETE /orders/4711 HTTP/1.1 204, 12 ms', 'DELETE /orders/<n> HTTP/<n> 204, <n> ms'],
    [
      'GET https://api.example.com/v1/orders/4711 503 after 2 tries',
      'GET https://api.example.com/v<n>/orders/<n> 503 after <n> tries',
    ],
    ['GET /orders 2000 2.00 999 20', 'GET /orders <n> <n> <n> <n>'],
    ['FORGET /orders 200', 'FORGET /orders <n>'],
    ["don't touch 'this one'", "don't touch <text>"],
    ['{"id":7,"name":"x"}', '{<text>:<n>,<text>:<text>}'],
    ['an open "quotation', 'an open "quotation'],
    ['déjà vu nº 5', 'déjà vu nº <n>'],
    ['', ''],
  ])('masks what differs from call to call: %s', (text, template) => {
    expect(messageTemplate(text)).toBe(template);
  });

  it('leaves words alone, however they look', () => {
    const text = [
      'Mapped {/orders, GET} route in OrdersController; deadbeef is a word, and so is cafe',
      'RedisLogBatchProcessor PostgreSQL XMLHttpRequest getURLFromDOM parseXMLToJSONDoc ECONNREFUSED',
      'ERR_STREAM_ERROR node-alpine order-service api_gateway https://example.com/orders TlsCertificateError',
    ].join(' ');
    expect(messageTemplate(text)).toBe(text);
  });

  it('takes no name for an id because there is a number in it', () => {
    const text =
      'utf8 http2 v1 OrdersService sha256 E2E s3://bucket node18-alpine OAuth2Strategy Base64Encoder k8s';
    const names = [
      text,
      'Http2ServerRequest WorkerPool3 PostgreSQL15 eu-west-1 TS2345 ERR_HTTP2_STREAM_ERROR',
    ];
    expect(messageTemplate(names.join(' '))).toBe(names.join(' ').replace(/\d+/g, '<n>'));
  });

  it.each<[name: string, template: string, make: (pick: Pick) => string]>([
    ['nanoid()', '<id>', (pick) => pick(URL_SAFE, 21)],
    ['nanoid(10)', '<id>', (pick) => pick(URL_SAFE, 10)],
    ['an id with a prefix', 'usr_<id>', (pick) => `usr_${pick(ALPHANUMERIC, 10)}`],
    ['the short hash of a commit', '<id>', (pick) => pick(HEXADECIMAL, 7)],
    ['a MAC address', '<id>', (pick) => Array.from({ length: 6 }, () => pick(HEXADECIMAL, 2)).join(':')],
    ['a token', '<id>', (pick) => [27, 54, 43].map((length) => pick(URL_SAFE, length)).join('.')],
    ['base64url', '<id>', (pick) => pick(URL_SAFE, 24)],
    ['a pod', 'app-<id>', (pick) => `app-${pick(KUBERNETES, 10)}-${pick(KUBERNETES, 5)}`],
    ['a producer of ours', '<id>', (pick) => pick(URL_SAFE, 12)],
  ])('masks random ids, but for a few that look like words: %s', (_, template, make) => {
    const pick = picker();
    const templates = Array.from({ length: 2_000 }, () => messageTemplate(`job ${make(pick)} done`));
    const masked = templates.filter((each) => each === `job ${template} done`);
    expect(masked.length).toBeGreaterThan(1_850);
    expect(new Set(templates).size).toBeLessThan(150);
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
    fc.stringMatching(/^[A-Za-z0-9_.:+-]{1,24}$/),
    fc.constantFrom('GET /', 'POST /a ', ' 200', ' 404 ', 'HTTP/1.1'),
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
    ['ids that go on', 'GwCAjwQpoI7-'],
    ['marks that go on', '7.<id>-'],
    ['capital letters', 'aZ7'],
    ['requests', 'GET /'],
    ['requests without an end', 'GET /a '],
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
