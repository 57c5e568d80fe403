import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeLogRecord, type EncodeOptions } from '../../../src/codec/encode.js';
import { FieldsEncoder } from '../../../src/codec/entry-encoder.js';
import { constantValue, entryValues } from '../../../src/codec/entry.js';
import { RespWriter } from '../../../src/codec/resp-writer.js';
import { VARIABLE } from '../../../src/codec/template.js';
import { arbitraryRecord, PROPERTY_RUNS, throughUtf8 } from '../../support/arbitrary-record.js';

const LAYOUTS: NonNullable<EncodeOptions['attributes']>[] = [
  'fields',
  'json',
  ['a', 'timestamp', '__proto__', '0'],
];

describe('The write path', () => {
  it.each(LAYOUTS)('writes the same entries as encodeLogRecord, attributes as %s', (attributes) => {
    const encoder = new FieldsEncoder(attributes);
    const out = new RespWriter();
    fc.assert(
      fc.property(arbitraryRecord(), (record) => {
        const template = encoder.encode(record, out);
        const bytes = Buffer.from(out.bytes.subarray(0, out.length));
        const values = entryValues(template, bytes);
        const written = template.fields.flatMap(({ name, value }) => [
          name,
          value === VARIABLE ? (values.shift() ?? '') : constantValue(template, value, ''),
        ]);
        expect(written.map(throughUtf8)).toEqual(encodeLogRecord(record, { attributes }).map(throughUtf8));
      }),
      { numRuns: PROPERTY_RUNS },
    );
  });
});
