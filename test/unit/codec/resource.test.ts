import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeResource, encodeResource } from '../../../src/codec/resource.js';
import type { Attributes, Resource } from '../../../src/record/log-record.js';

describe('A resource', () => {
  it('is named by 12 base64url characters of the SHA-256 of its text', () => {
    const { hash, text } = encodeResource({
      attributes: { 'service.name': 'orders', grüße: NaN },
      schemaUrl: 'u',
    });
    expect(text).toBe('{"attributes":{"service.name":"orders","grüße":{"$num":"NaN"}},"schemaUrl":"u"}');
    expect(hash).toBe(createHash('sha256').update(text).digest('base64url').slice(0, 12));
  });

  it('of the same attributes in the same order has the same name in every process', () => {
    const make = (): Resource => ({ attributes: { a: 1, b: 2 } });
    expect(encodeResource(make())).toEqual(encodeResource(make()));
    expect(encodeResource({ attributes: { b: 2, a: 1 } }).hash).not.toBe(encodeResource(make()).hash);
  });

  it('is read only once', () => {
    let reads = 0;
    const resource: Resource = {
      get attributes(): Attributes {
        reads++;
        return { a: 1 };
      },
    };
    encodeResource(resource);
    const first = reads;
    encodeResource(resource);
    expect(reads).toBe(first);
  });

  it('whose detectors are still pending is read again until they are done', () => {
    const resource = { attributes: { a: 1 } as Attributes, asyncAttributesPending: true };
    const early = encodeResource(resource);
    expect(encodeResource(resource)).toEqual(early);
    resource.attributes = { a: 1, 'host.id': 'h' };
    resource.asyncAttributesPending = false;
    expect(encodeResource(resource).text).toBe('{"attributes":{"a":1,"host.id":"h"}}');
    expect(encodeResource(resource).hash).not.toBe(early.hash);
  });

  it('is the same frozen object for the same text, so that OTLP groups by it', () => {
    const text = '{"attributes":{"a":[1]},"schemaUrl":"u"}';
    const resource = decodeResource(text);
    expect(resource).toEqual({ attributes: { a: [1] }, schemaUrl: 'u' });
    expect(decodeResource(`${text}`)).toBe(resource);
    expect(Object.isFrozen(resource) && Object.isFrozen(resource?.attributes)).toBe(true);
  });

  it('cannot be read from a text that is none', () => {
    const texts = [
      '',
      'x',
      '[]',
      '{}',
      '{"attributes":1}',
      '{"attributes":[]}',
      '{"attributes":{"$bytes":""}}',
    ];
    for (const text of [...texts, '{"attributes":{},"schemaUrl":1}', '{"attributes":{"a":{"$num":1}}}']) {
      expect(decodeResource(text)).toBeUndefined();
    }
  });

  it('that is none at run time, or throws when it is read, still has a text that readers understand', () => {
    const hostile = [
      null,
      5,
      {},
      { attributes: [1] },
      { attributes: new Proxy({}, { ownKeys: () => ['a', 'a'] }) },
    ];
    for (const resource of hostile) {
      expect(decodeResource(encodeResource(resource as unknown as Resource).text)).toBeDefined();
    }
  });
});
