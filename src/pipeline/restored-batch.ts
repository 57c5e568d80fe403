import type { Template } from '../codec/template.js';
import { Batch } from './batch.js';

const CR = 13;

/**
 * A batch as it was before it went to disk: `payload` are its entries, each a template id and the values of that
 * template. `undefined` when they do not fit together. Its records count as older than any of this process.
 */
export function restoreBatch(
  payload: Buffer,
  templates: ReadonlyMap<string, Template>,
  expected: { readonly first: number; readonly count: number },
): Batch | undefined {
  const batch = new Batch(expected.count, payload.length);
  let start = 0;
  while (start < payload.length) {
    const id = bulkAt(payload, start);
    const template =
      id === undefined ? undefined : templates.get(payload.toString('latin1', id.start, id.end));
    if (id === undefined || template === undefined) return undefined;
    let end = id.next;
    for (let value = 0; value < template.variables; value++) {
      const bulk = bulkAt(payload, end);
      if (bulk === undefined) return undefined;
      end = bulk.next;
    }
    batch.add({ template, ordinal: 0, bytes: payload, start, end });
    start = end;
  }
  if (batch.count !== expected.count) return undefined;
  batch.first = expected.first;
  return batch;
}

interface Bulk {
  readonly start: number;
  readonly end: number;
  /** Where the next one begins. */
  readonly next: number;
}

function bulkAt(bytes: Buffer, at: number): Bulk | undefined {
  const headerEnd = bytes.indexOf(CR, at);
  if (headerEnd < 0) return undefined;
  const size = Number(bytes.toString('latin1', at + 1, headerEnd));
  const start = headerEnd + 2;
  const end = start + size;
  return Number.isInteger(size) && end + 2 <= bytes.length ? { start, end, next: end + 2 } : undefined;
}
