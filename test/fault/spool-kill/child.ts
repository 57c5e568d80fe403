import { writeSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { systemRuntime } from '../../../src/pipeline/runtime.js';
import { Spool, type SpoolEntry } from '../../../src/pipeline/spool/spool.js';
import { makeBatch, numbersFrom } from '../../unit/spool/batches.js';
import { crashingFiles } from './crashing-files.js';
import type { ChildLine, ChildOrder } from './protocol.js';

const order = JSON.parse(process.argv[2] ?? '') as ChildOrder;

function tell(line: ChildLine): void {
  writeSync(1, `${line}\n`);
}

function told(): Promise<unknown> {
  return new Promise((resolve) => process.stdin.once('data', resolve));
}

function payloadBytes(first: number): number {
  return Math.floor(numbersFrom(first * 31)() ** 4 * 60_000);
}

async function open(): Promise<Spool> {
  return Spool.open({
    directory: order.directory,
    maxBytes: 50_000_000,
    segmentBytes: 100_000,
    syncMs: 5,
    files: crashingFiles(order.crash),
    runtime: systemRuntime,
    problem: (code, text) => {
      // Half a frame at the end is what a kill leaves.
      if (code !== 'damaged') tell(`!${code}: ${text}`);
    },
  });
}

/** Appends in bursts for ever; releases most of it, nearly in order. */
async function write(spool: Spool): Promise<void> {
  const next = numbersFrom(order.from);
  const held: { readonly first: number; readonly entry: SpoolEntry }[] = [];
  for (let first = order.from; ;) {
    const burst: Promise<void>[] = [];
    for (let left = 1 + Math.floor(next() * 6); left > 0; left--) {
      const own = first++;
      const appended = spool.append(makeBatch(own, payloadBytes(own)));
      burst.push(
        appended.then((entry) => {
          if (entry === undefined) return tell(`!not spooled: ${own}`);
          tell(`+${own}`);
          held.push({ first: own, entry });
        }),
      );
    }
    if (next() < 0.05) {
      const own = first++;
      if (spool.appendSync(makeBatch(own, payloadBytes(own))) !== undefined) tell(`+${own}`);
    }
    await Promise.all(burst);
    while (held.length > 20 * next()) {
      const [gone] = held.splice(Math.floor(next() * Math.min(3, held.length)), 1);
      if (gone === undefined) break;
      tell(`-${gone.first}`);
      spool.release(gone.entry);
    }
    await nextTurn();
  }
}

async function adopt(spool: Spool): Promise<void> {
  const all = await spool.adopt();
  for (const adopted of all) {
    for (const entry of adopted.entries) {
      const batch = await adopted.read(entry);
      const isWhole = isDeepStrictEqual(batch, makeBatch(entry.first, payloadBytes(entry.first)));
      tell(isWhole ? `=${entry.first}` : `!altered: ${entry.first}`);
    }
  }
  if (order.isLast) {
    for (const adopted of all) for (const entry of adopted.entries) adopted.release(entry);
    await spool.close();
  }
}

const spool = await open();
tell('ready');
if (order.role === 'writer') await write(spool);
await told();
await adopt(spool);
tell('done');
// Who ends is an orphan again, and others may still be looking for some.
if (!order.isLast) await told();
process.exit(0);
