// Where the time of a record goes, for docs/write-path.md.
import { openChild } from '../lib/child.mjs';
import { measureCopying } from '../lib/copying.mjs';

const CHILD = new URL('../lib/profile-child.mjs', import.meta.url);

/**
 * `{ full, requests, copying }`: the parts of a flood in full batches, and of one request of five records at a time, as
 * in a quiet service; and what copying a string costs, by its length.
 */
export async function measureProfile(bench) {
  const child = await openChild(CHILD, { name: 'ours', where: { ...bench.where, sites: 1 } });
  const full = await child.call('flood', { records: 400_000 });
  const requests = await child.call('paced', { rate: 2_000, ms: 10_000 });
  await child.close();
  return { full, requests, copying: measureCopying() };
}
