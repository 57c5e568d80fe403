import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileRedactor, SAFE_REDACT_PATHS } from '../../../src/record/redact.js';

const redactor = compileRedactor({ paths: SAFE_REDACT_PATHS, censor: '[Redacted]' });
const censored = (text: string): string => redactor.text(text);

describe('a text with secrets in it', () => {
  it.each([
    ['GET /login?user=ada&token=hunter2&page=1', 'GET /login?user=ada&token=[Redacted]&page=1'],
    ['Server=db;User Id=sa;Password=hunter2;', 'Server=db;User Id=sa;Password=[Redacted];'],
    ['host=db password=hunter2 port=5', 'host=db password=[Redacted] port=5'],
    ['password = "hunter2 with \\" quotes" end', 'password = "[Redacted]" end'],
    ['Uid=sa;Pwd={hunter2;hunter2};n=1', 'Uid=sa;Pwd=[Redacted];n=1'],
    ['password=null-hunter2&a=1', 'password=[Redacted]&a=1'],
    ['password=[x]hunter2', 'password=[Redacted]'],
    ['login(password=a(hunter2<hunter2)', 'login(password=[Redacted])'],
    ['user[password]=hunter2', 'user[password]=[Redacted]'],
    ['{"user":"ada","apiKey":"hunter2"}', '{"user":"ada","apiKey":"[Redacted]"}'],
    ['{\\"password\\":\\"hunter2\\",\\"a\\":1}', '{\\"password\\":\\"[Redacted]\\",\\"a\\":1}'],
    ['{"password":42,"a":1}', '{"password":[Redacted],"a":1}'],
    ["{ db: { password: 'hunter2' }, n: 1 }", "{ db: { password: '[Redacted]' }, n: 1 }"],
    ["Map(1) { 'secret' => 'hunter2' }", "Map(1) { 'secret' => '[Redacted]' }"],
    [
      'GET / HTTP/1.1\r\nAuthorization: Bearer hunter2\r\nHost: h',
      'GET / HTTP/1.1\r\nAuthorization: [Redacted]\r\nHost: h',
    ],
    ['Cookie: a=hunter2; b=hunter2', 'Cookie: [Redacted]'],
    ['{"Set-Cookie":["a=hunter2","b=hunter2"],"n":1}', '{"Set-Cookie":[Redacted],"n":1}'],
    [
      '{"head":"GET /\\r\\nAuthorization: Basic hunter2\\r\\nHost: h"}',
      '{"head":"GET /\\r\\nAuthorization: [Redacted]\\r\\nHost: h"}',
    ],
    ['db.password=hunter2', 'db.password=[Redacted]'],
    ['X-API-Key: hunter2', 'X-API-Key: [Redacted]'],
    ['DB_PASSWORD=hunter2 DB_HOST=h', 'DB_PASSWORD=[Redacted] DB_HOST=h'],
    ['X-Forwarded-Authorization: Basic hunter2', 'X-Forwarded-Authorization: [Redacted]'],
    [
      '{"privateKey":"hunter2","csrfToken":"hunter2"}',
      '{"privateKey":"[Redacted]","csrfToken":"[Redacted]"}',
    ],
    ['sent with Bearer hunter2 to the API', 'sent with Bearer [Redacted] to the API'],
    ['sent Bearer auth0abcdefghijklmnopq012345 now', 'sent Bearer [Redacted] now'],
    ['Bearer hunter2.x-y_z~/+==, and more', 'Bearer [Redacted], and more'],
    ['curl -u ann:hunter2 https://h', 'curl -u ann:[Redacted] https://h'],
    ["curl --user='ann:hunter2' https://h", "curl --user='ann:[Redacted]' https://h"],
  ])('loses them, and nothing else: %s', (text, expected) => {
    expect(censored(text)).toBe(expected);
    expect(censored(expected)).toBe(expected);
  });

  it.each([
    'Unexpected token: } at 1:2',
    'password: undefined',
    '{"token":null}',
    'at Object.<anonymous> (file:///srv/app/orders.service.ts:10:5)',
    'https://example.org:8080/a?b=c',
    'a == b, c: d, tokens=3',
    'tokenCount=3, passwordResetAt: 2026-01-01, max_tokens: 5',
    'Bearer token missing; WWW-Authenticate: Bearer realm="x"',
    'Bearer authentication is required',
    'the ForBearer x',
    'Bearer ',
    'docker run -u 1000:1000 image:1',
    'password=',
    'password',
    ': = :',
  ])('is left alone where there are none: %s', (text) => {
    expect(censored(text)).toBe(text);
  });

  it('needs the path **=, and takes the names of the user too', () => {
    const paths = ['**.iban', '**='];
    expect(compileRedactor({ paths, censor: '-' }).text('iban=DE00 password=x')).toBe('iban=- password=x');
    expect(compileRedactor({ paths: ['**.iban'], censor: '-' }).text('iban=DE00')).toBe('iban=DE00');
    expect(compileRedactor({ paths, censor: '' }).text('iban=DE00 a=1')).toBe('iban= a=1');
    expect(compileRedactor({ paths, censor: () => 'x' }).text('iban=DE00')).toBe('iban=[Redacted]');
  });

  it('never lets a word through that follows a secret name', () => {
    const name = fc.constantFrom('password', 'Token', 'api_key', 'client-secret', 'db.passwd');
    const around = fc.string({
      unit: fc.constantFrom('a', ' ', '"', "'", '=', ':', '&', ';', '\\', '/', '\n', '{'),
    });
    const open = fc.constantFrom('=', '="', "='", ' = ', '":"', '\\":\\"', '": "');
    fc.assert(
      fc.property(fc.tuple(around, name, open, around), ([before, key, opening, after]) => {
        // What is before may close the quote or be part of the name; a space begins anew.
        const text = `${before} ${key}${opening}hunter2${after}`;
        expect(censored(text)).not.toContain('hunter2');
      }),
      { numRuns: 2_000 },
    );
  });

  it('is read in linear time', () => {
    for (const piece of [
      'password=',
      'a:',
      '"password":"',
      ':=',
      '\\"',
      'token: ',
      `${'a'.repeat(64)}:`,
      'Bearer a',
      ' -u a:',
      '-u'.repeat(9),
    ]) {
      const start = performance.now();
      censored(piece.repeat(Math.ceil(500_000 / piece.length)));
      expect(performance.now() - start).toBeLessThan(2_000);
    }
  });
});
