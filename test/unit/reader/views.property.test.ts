import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeLogRecord } from '../../../src/codec/decode.js';
import { encodeLogRecord } from '../../../src/codec/encode.js';
import { encodeResource } from '../../../src/codec/resource.js';
import { resolveField } from '../../../src/reader/query-language/fields.js';
import { DecodedView, EntryView, valueOf } from '../../../src/reader/query-language/view.js';
import { arbitraryRecord, PROPERTY_RUNS } from '../../support/arbitrary-record.js';

const FIELDS = [
  ...['level', 'severity_text', 'body', 'trace', 'span', 'logger', 'service', 'event', 'status', 'user.id'],
  ...[
    'attributes.body',
    'resource.host.name',
    'host',
    'a',
    'a.b',
    'attributes.__proto__',
    'attributes.length',
  ],
];

it('A query sees the same of an entry as of the record that it holds', () => {
  const attributes = fc.constantFrom('fields' as const, 'json' as const);
  fc.assert(
    fc.property(arbitraryRecord(), attributes, fc.array(fc.string()), (original, layout, names) => {
      const { hash, text } = encodeResource(original.resource);
      const fields = encodeLogRecord(original, { attributes: layout });
      const resource = (wanted: string): string | undefined => (wanted === hash ? text : undefined);
      const decoded = decodeLogRecord(fields, { resource });
      if (decoded.status !== 'ok') return;
      const entry = new EntryView(resource);
      entry.fields = fields;
      const asked = [
        ...FIELDS,
        ...names,
        ...Object.keys(decoded.record.attributes).map((name) => `attributes.${name}`),
      ];
      for (const name of asked) {
        const ref = resolveField(name);
        if (ref === undefined) continue;
        const [seen, wanted] = [valueOf(entry, ref), valueOf(new DecodedView(decoded.record), ref)];
        // Said at length only where they differ: it is a slow way to say that nothing is wrong.
        if (!isDeepStrictEqual(seen, wanted)) expect(seen, name).toStrictEqual(wanted);
      }
    }),
    { numRuns: Math.min(PROPERTY_RUNS, 150) },
  );
}, 60_000);
