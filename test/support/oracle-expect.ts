import { expect } from 'vitest';
import type { LogStats } from '../../src/core.js';
import { type Audit, droppedOf, type OracleWriter } from './oracle.js';

type Reader = Parameters<OracleWriter['audit']>[0];

/** Closes the writer; nothing may be left without an outcome. */
export async function expectClosed(oracle: OracleWriter, timeoutMs = 15_000): Promise<LogStats> {
  const result = await oracle.writer.close({ timeoutMs });
  const { stats } = oracle;
  expect({ ...result, stats, lines: oracle.lines }).toMatchObject({
    timedOut: false,
    pending: 0,
    unconfirmed: 0,
  });
  return stats;
}

/** Every record that was not dropped is in the stream, once, unchanged and in order; and nothing else is. */
export async function expectExactlyOnce(oracle: OracleWriter, client: Reader): Promise<Audit> {
  const { stats } = oracle;
  const found = await oracle.audit(client);
  expect(found.corrupt).toEqual([]);
  expect(found.duplicates).toBe(0);
  expect(found.inOrder).toBe(true);
  expect(found.unique.size).toBe(stats.delivered);
  expect(stats.delivered + droppedOf(stats)).toBe(oracle.emitted);
  expect(stats.possibleDuplicates).toBe(0);
  return found;
}

/** The same where nothing may have been dropped either. */
export async function expectAllOnce(oracle: OracleWriter, client: Reader): Promise<void> {
  const { unique } = await expectExactlyOnce(oracle, client);
  expect(oracle.stats.dropped).toEqual({});
  expect(unique.size).toBe(oracle.emitted);
}
