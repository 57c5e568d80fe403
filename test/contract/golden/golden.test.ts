import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { decodeLogRecord } from '../../../src/codec/decode.js';
import { makeVectors } from './make-vectors.js';
import { recordNote, type Vector } from './notation.js';

const file = fileURLToPath(new URL('vectors.json', import.meta.url));
const { vectors } = JSON.parse(readFileSync(file, 'utf8')) as { vectors: Vector[] };

describe('The golden vectors of the stream entry, version 1', () => {
  it.each(vectors.filter((vector) => vector.direction === 'both'))(
    'are written as stored: $name',
    (vector) => {
      expect(makeVectors().find(({ name }) => name === vector.name)).toEqual(vector);
    },
  );

  it.each(vectors)('are read as stored: $name', ({ fields, resources, record }) => {
    const decoded = decodeLogRecord(fields, { resource: (hash) => resources[hash] });
    expect(decoded.status === 'ok' ? recordNote(decoded.record, decoded) : null).toEqual(record);
  });

  it('hold every case, each under a name of its own', () => {
    const names = vectors.map(({ name }) => name);
    expect(names).toEqual(makeVectors().map(({ name }) => name));
    expect(new Set(names).size).toBe(names.length);
  });

  it('are read the same by a decoder in another language', () => {
    const reader = fileURLToPath(new URL('read_vectors.py', import.meta.url));
    const output = execFileSync('python3', [reader, file], { encoding: 'utf8' });
    expect(output.trim()).toBe(`${vectors.length} of ${vectors.length} vectors agree`);
  });
});
