// Where the time of a record goes, for docs/write-path.md.
import { openChild } from '../lib/child.mjs';

const CHILD = new URL('../lib/profile-child.mjs', import.meta.url);

/** `{ full, requests }`: a flood in full batches, and one request of five records at a time, as in a quiet service. */
export async function measureProfile(bench) {
  const child = await openChild(CHILD, { name: 'ours', where: { ...bench.where, sites: 1 } });
  const full = await child.call('flood', { records: 400_000 });
  const requests = await child.call('paced', { rate: 2_000, ms: 10_000 });
  await child.close();
  return { full, requests };
}
