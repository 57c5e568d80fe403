import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/codec/parse-json.js';
import { arbitraryName, mapOf, PROPERTY_RUNS } from '../../support/arbitrary-record.js';

/** Makes V8 expect names with backslashes, of which it then takes any escaped one for the expected one. */
function makeV8ExpectBackslashes(): void {
  for (const text of ['{"\\\\":1}', '{"h":1,"\\\\":0}', '{"a\\\\":1}', '{"a\\\\":1,"\\\\u":1}'])
    JSON.parse(text);
}

describe('The JSON of an entry', () => {
  it('gives every map its own names, whichever names were read before', () => {
    makeV8ExpectBackslashes();
    const texts = [
      '{"\\n":1}',
      '{"\\u0041":1}',
      '{"h":1,"\\"":0}',
      '[{"h":{"\\ud800":[{"\\t":"\\n"}]}}]',
      '{"\\\\":1}',
    ];
    const names = ['\n', 'A', '"', '\ud800', '\\'];
    for (const [i, text] of texts.entries()) {
      expect(JSON.stringify(parseJson(text))).toBe(text.replace('\\u0041', 'A'));
      expect(text === texts[3] || Object.keys(parseJson(text) as object).at(-1) === names[i]).toBe(true);
    }
  });

  it('is the same JSON, whatever escaped names are in it', () => {
    const name = fc.oneof(
      fc.string({ unit: fc.constantFrom('\\', '"', '\n', '\ud800', 'n', 'u'), maxLength: 3 }),
      arbitraryName(),
    );
    const part = fc.oneof(fc.string(), fc.integer(), fc.constant('":"'));
    const map = fc.array(fc.tuple(name, part), { maxLength: 3 }).map(mapOf);
    fc.assert(
      fc.property(fc.array(fc.oneof(map, fc.array(fc.tuple(name, map)).map(mapOf))), (value) => {
        const text = JSON.stringify(value);
        expect(JSON.stringify(parseJson(text))).toBe(text);
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });

  it('keeps a name of the prototype beside names with backslashes as data', () => {
    const read = parseJson('{"__proto__":{"polluted":1},"a\\\\":[{"b\\\\":1}]}') as object;
    expect(Object.entries(read)).toEqual([
      ['__proto__', { polluted: 1 }],
      ['a\\', [{ 'b\\': 1 }]],
    ]);
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  });

  it('is refused as JSON.parse refuses it', () => {
    for (const text of ['', '{"a\\\\":1', '{"\\x":1}', '["\n"]'])
      expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});
