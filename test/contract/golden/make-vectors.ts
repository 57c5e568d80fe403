import { encodeLogRecord } from '../../../src/codec/encode.js';
import { encodeResource } from '../../../src/codec/resource.js';
import { throughUtf8 } from '../../support/arbitrary-record.js';
import { READ_CASES, type ReadCase, WRITE_CASES, type WriteCase } from './cases.js';
import { recordNote, type Vector } from './notation.js';

function written({ name, record, layout, read }: WriteCase): Vector {
  const { hash, text } = encodeResource(record.resource);
  const fields = encodeLogRecord(record, { attributes: layout }).map(throughUtf8);
  return { name, direction: 'both', resources: { [hash]: text }, fields, record: recordNote(read ?? record) };
}

function readOnly({ name, fields, resources, record, entry }: ReadCase): Vector {
  const note = record === undefined ? null : recordNote(record, entry);
  return { name, direction: 'read', resources: resources ?? {}, fields, record: note };
}

/** What this code writes for every case, beside what readers must make of it. */
export function makeVectors(): readonly Vector[] {
  return [...WRITE_CASES.map(written), ...READ_CASES.map(readOnly)];
}
