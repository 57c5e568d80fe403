import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanPath, queryOf } from '../../../src/nest/http/url-parts.js';
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
    ['/a?u=https%3A%2F%2Fu%3As3cret%40h%2F&n=%C3%A9', 'u=[Redacted]&n=%C3%A9'],
    ['/a?next=%252Fback%253Ftoken%253Ds3cret', 'next=[Redacted]'],
    ['/a?u=https%3A%2F%2Fu%3As3cret%40h%2F%zz%', 'u=[Redacted]'],
    ['/a?https%3A%2F%2Fu%3As3cret%40h%2F', '[Redacted]'],
    ['/a?token%3Ds3cret', '[Redacted]'],
    ['/a?t=12%3A30&p=100%25&tokens=1%3D2', 't=12%3A30&p=100%25&tokens=1%3D2'],
  ])('is written without its secrets: %s', (url, expected) => {
    expect(queryOf(url, redactor)).toBe(expected);
  });

  it('hides what a censor takes away, also of a name within a name', () => {
    const taking = compileRedactor({ paths: ['pin', '**.password'], censor: () => undefined });
    expect(queryOf('/a?user[pin]=1234&x=1', taking)).toBe('user[pin]=[Redacted]&x=1');
    expect(queryOf('/a?user[password]=1234', taking)).toBe('user[password]=[Redacted]');
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

describe('The path of a URL', () => {
  it.each([
    ['/x/redis:%2F%2Fu:s3cret@h/y', '/x/[Redacted]/y'],
    ['/x/redis%3A%2F%2Fu%3As3cret%40h', '/x/[Redacted]'],
    ['/x/redis%253A%252F%252Fu%253As3cret%2540h/%C3%A9', '/x/[Redacted]/%C3%A9'],
    ['/x/redis%3A//u:s3cret@h', '/[Redacted]'],
    ['/x/token%3Ds3cret/%zz', '/x/[Redacted]/%zz'],
    ['/caf%C3%A9/100%/%c0', '/caf%C3%A9/100%/%c0'],
  ])('is written without what its escapes hide: %s', (path, expected) => {
    expect(cleanPath(path, redactor)).toBe(expected);
  });

  it('never shows a password, whatever was escaped, and how often', () => {
    const escape = (text: string, which: readonly boolean[]): string =>
      [...text].map((char, at) => (which[at % which.length] === true ? hex(char) : char)).join('');
    const which = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(which, fc.constantFrom(0, 1), fc.string(), (chosen, again, rest) => {
        let segment = escape('redis://u:s3cret@h', chosen).replaceAll('/', '%2F');
        for (let round = 0; round < again; round++) segment = segment.replaceAll('%', '%25');
        const path = `/a/${segment}/${encodeURIComponent(rest.toWellFormed())}`;
        // As all of the record is censored once more.
        expect(redactor.text(cleanPath(path, redactor))).not.toMatch(/s3cret|%73/);
      }),
    );
  });

  it('is as it came where nothing is redacted, or nothing is escaped', () => {
    expect(cleanPath('/redis:%2F%2Fu:p@h', undefined)).toBe('/redis:%2F%2Fu:p@h');
    expect(cleanPath('/plain/path', redactor)).toBe('/plain/path');
  });
});

function hex(char: string): string {
  return `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
