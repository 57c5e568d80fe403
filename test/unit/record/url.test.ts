import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stripUserinfo } from '../../../src/record/url.js';

const clean = (text: string): string => stripUserinfo(text, '***');

describe('credentials in URLs', () => {
  it.each([
    ['redis://app:hunter2@cache:6379/0', 'redis://***@cache:6379/0'],
    ['redis://:hunter2@cache', 'redis://***@cache'],
    ['https://ghp_token@github.com/a', 'https://***@github.com/a'],
    ['https://sk_live:@api.example.org', 'https://***@api.example.org'],
    ['mongodb+srv://u:p%40ss@a.example,b.example/db?x=1', 'mongodb+srv://***@a.example,b.example/db?x=1'],
    [
      'connect to "redis://u:p@h" failed, and amqp://u2:p2@h2 too',
      'connect to "redis://***@h" failed, and amqp://***@h2 too',
    ],
    ['{"url":"redis://u:p@h","mail":"a@b.example"}', '{"url":"redis://***@h","mail":"a@b.example"}'],
    ['redis://u:p@ss@h', 'redis://***@h'],
  ])('are taken out of %s', (text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  it.each([
    ['redis://:pa/ss@host:1', 'redis://***@host:1'],
    ['postgres://u:p#1?2@host/db', 'postgres://***@host/db'],
    ['redis://u:/pass@host', 'redis://***@host'],
  ])('are taken out of %s, which nobody escaped', (text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  it.each([
    'no link',
    'https://example.org/@scope/package?mail=a@b.example',
    'http://localhost:3000/@vite/client',
    'at file:///app/node_modules/@nestjs/core/router.js:38:17',
    'redis://[::1]:6379/0 user@host',
    'https://example.org mail me@example.org',
    '://',
    'a://',
  ])('are not seen in %s', (text) => {
    expect(clean(text)).toBe(text);
  });

  it('go together with the @ when nothing is to stand for them', () => {
    expect(stripUserinfo('redis://u:p@h/1 and redis://h2', '')).toBe('redis://h/1 and redis://h2');
  });

  it('never stay in a text, wherever the URL stands in it', () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9!$&'()*+,;=:%._~-]{1,40}$/).map((text) => `S3CR3T${text}`);
    const around = fc.string({ unit: 'grapheme', maxLength: 30 });
    fc.assert(
      fc.property(around, secret, around, (before, password, after) => {
        const text = clean(`${before} redis://user:${password}@host/0 ${after}`);
        expect(text).not.toContain('S3CR3T');
        expect(text).toContain('***@host/0 ');
        expect(clean(text)).toBe(text);
      }),
    );
  });

  it('cost time in proportion to the text, even to one made to be slow', () => {
    for (const unit of ['a://b:c/', '://', 'a://b:', '@', 'x://:/']) {
      const text = unit.repeat(Math.ceil(65_536 / unit.length));
      const start = performance.now();
      clean(text);
      expect(performance.now() - start).toBeLessThan(200);
    }
  });
});
