import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { queryOf } from '../../../src/nest/http/request-attributes.js';
import { compileRedactor, SAFE_REDACT_PATHS } from '../../../src/record/redact.js';

const redactor = compileRedactor({ paths: SAFE_REDACT_PATHS, censor: '[Redacted]' });

describe('The query of a URL', () => {
  it.each([
    ['/a', undefined],
    ['/a?', ''],
    ['/a?x=1&y', 'x=1&y'],
    ['/a?token=s3cret&x=1', 'token=[Redacted]&x=1'],
    ['/a?user%5Bpassword%5D=s3cret', 'user%5Bpassword%5D=[Redacted]'],
    ['/a?user.password=s3cret', 'user.password=[Redacted]'],
    ['/a?PASSWORD=s3cret', 'PASSWORD=[Redacted]'],
    ['/a?%zz=1', '%zz=1'],
    ['/a?=v', '=[Redacted]'],
  ])('is written without its secrets: %s', (url, expected) => {
    expect(queryOf(url, redactor)).toBe(expected);
  });

  it('never shows the value of a secret name, and always keeps the names', () => {
    const name = fc.constantFrom('token', 'x', 'q', 'Api_Key', 'a.secret', 'b[0][cookie]');
    const pairs = fc.array(fc.tuple(name, fc.constantFrom('s3cret', 'v')), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(pairs, (given) => {
        const query = given.map(([key, value]) => `${encodeURIComponent(key)}=${value}`).join('&');
        const clean = (queryOf(`/p?${query}`, redactor) ?? '').split('&');
        for (const [index, [key, value]] of given.entries()) {
          const secret = !['x', 'q'].includes(key);
          expect(clean[index]).toBe(`${encodeURIComponent(key)}=${secret ? '[Redacted]' : value}`);
        }
      }),
    );
  });

  it('is as it came where nothing is redacted', () => {
    expect(queryOf('/a?token=1', undefined)).toBe('token=1');
  });
});
