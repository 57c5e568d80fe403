import { describe, expect, it } from 'vitest';
import {
  fromFieldName,
  isWellFormedName,
  LEADING_FIELDS,
  OPTIONAL_FIELDS,
  toFieldName,
} from '../../../src/codec/names.js';

describe('Field names', () => {
  it('are the attribute names themselves, so that a reader without our decoder can filter by them', () => {
    for (const name of [
      'order.id',
      'Timestamp',
      'vv',
      'attribute',
      'a@',
      '',
      '0',
      '__proto__',
      'service.names',
    ]) {
      expect(toFieldName(name)).toBe(name);
      expect(fromFieldName(name)).toBe(name);
    }
  });

  it('keep attributes apart from our own fields, those of later versions and those with the prefix', () => {
    const reserved = [
      ...LEADING_FIELDS,
      ...OPTIONAL_FIELDS,
      'v',
      'attributes',
      '@',
      '@later',
      'attributes.',
      'attributes.a',
    ];
    for (const name of reserved) {
      expect(toFieldName(name)).toBe(`attributes.${name}`);
      expect(fromFieldName(toFieldName(name))).toBe(name);
    }
  });

  it('of our own, of later versions and of other attributes are no attribute', () => {
    for (const name of [...LEADING_FIELDS, ...OPTIONAL_FIELDS, 'v', 'attributes', '@later']) {
      expect(fromFieldName(name)).toBeUndefined();
    }
  });

  it('lose exactly one prefix when they are read', () => {
    expect(fromFieldName('attributes.attributes.a')).toBe('attributes.a');
    expect(fromFieldName('attributes.')).toBe('');
  });

  it('are told apart from names that UTF-8 cannot carry', () => {
    for (const name of ['', 'a', 'é', '😀', 'a😀b', '\ufffd']) expect(isWellFormedName(name)).toBe(true);
    for (const name of ['\ud800', '\udc00', 'a\ud83d', '\ude00😀', '\ud83d\ud83d\ude00', '😀\udc00']) {
      expect(isWellFormedName(name)).toBe(false);
    }
  });
});
