import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numbersFrom } from './batches.js';
import { SpoolWorld } from './spool-world.js';

type Step = (world: SpoolWorld) => Promise<void>;

class Command implements fc.AsyncCommand<object, SpoolWorld> {
  readonly #name: string;
  readonly #step: Step;

  constructor(name: string, step: Step) {
    this.#name = name;
    this.#step = step;
  }

  check(): boolean {
    return true;
  }

  async run(_model: object, world: SpoolWorld): Promise<void> {
    await this.#step(world);
    await world.expectBounded();
  }

  toString(): string {
    return this.#name;
  }
}

const sizes = fc.array(fc.integer({ min: 0, max: 1_500 }), { minLength: 1, maxLength: 4 });
const seed = fc.nat(0xffff_ffff);
const pick = fc.nat(999).map((part) => part / 1_000);
const death = fc.constantFrom('kill', 'power cut');

function chanceOf(from: number): () => boolean {
  const next = numbersFrom(from);
  // Some crashes take nearly all, some nearly nothing.
  const share = next();
  return () => next() < share;
}

function command<T extends object>(
  name: string,
  given: { readonly [K in keyof T]: fc.Arbitrary<T[K]> },
  step: (world: SpoolWorld, given: T) => Promise<void>,
): fc.Arbitrary<Command> {
  return fc
    .record<T>(given)
    .map((values) => new Command(`${name} ${JSON.stringify(values)}`, (world) => step(world, values)));
}

const dying = { death, from: seed, operations: fc.nat(20) };

const append = command('append', { sizes }, (world, given) => world.append(given.sizes));

const commands = [
  append,
  append,
  command('append one by one', { sizes }, async (world, given) => {
    for (const size of given.sizes) await world.append([size]);
  }),
  command('appendSync amid appends', { sizes, more: sizes, turns: fc.nat(12) }, async (world, given) => {
    const waiting = world.append(given.sizes, 'overtaken');
    for (let turn = 0; turn < given.turns; turn++) await Promise.resolve();
    await world.append(given.more, 'appendSync');
    await waiting;
  }),
  command('sync', {}, (world) => world.sync()),
  command('release', { pick, many: fc.boolean() }, (world, given) => world.release(given.pick, given.many)),
  command('read', { pick }, (world, given) => world.read(given.pick)),
  command('wait', { ms: fc.constantFrom(20, 1_100, 11_000) }, (world, { ms }) => world.wait(ms)),
  command('write back', { from: seed }, async (world, { from }) => world.disk.writeBack(chanceOf(from))),
  command('flip a bit', { pick, from: seed }, async (world, given) => world.flip(given.pick, given.from)),
  command('disk full', { free: fc.nat(2_000) }, async (world, { free }) => world.fill(free)),
  command(
    'disk fails',
    {
      what: fc.constantFrom('write', 'sync', 'truncate', 'create'),
      code: fc.constantFrom('EIO', 'EROFS', 'EDQUOT'),
    },
    async (world, { what, code }) => world.fail(what, code),
  ),
  command('heal', {}, (world) => world.heal()),
  command('restart', {}, (world) => world.heal().then(() => world.restart('close', () => true))),
  command('die', { death, from: seed }, (world, given) => world.restart(given.death, chanceOf(given.from))),
  command('die in an append', { sizes, ...dying }, async (world, given) => {
    await world.dieIn(given.operations % 8, () => world.append(given.sizes));
    await world.restart(given.death, chanceOf(given.from));
  }),
  command('die in a sync', { sizes, ...dying }, async (world, given) => {
    await world.append(given.sizes);
    await world.dieIn(given.operations % 8, () => world.wait(60));
    await world.restart(given.death, chanceOf(given.from));
  }),
  command('die in a release', dying, async (world, given) => {
    await world.dieIn(given.operations % 8, async () => {
      await world.release(0, true);
      await world.wait(1_100);
    });
    await world.restart(given.death, chanceOf(given.from));
  }),
  command('die in close', dying, async (world, given) => {
    await world.dieIn(given.operations, () => world.spool.close());
    await world.restart(given.death, chanceOf(given.from));
  }),
  command('die twice', dying, (world, given) =>
    world.restartTwice(given.death, chanceOf(given.from), given.operations * 3),
  ),
];

const RUNS = Number(process.env['REDIS_LOG_TEST_RUNS'] ?? 300);

describe('the spool on a disk that forgets what was not synced', () => {
  it(
    'loses nothing it promised, alters nothing, invents nothing and keeps the order, whatever happens',
    async () => {
      const seen = { found: 0, lost: 0, unsynced: 0, refused: 0, again: 0 };
      await fc.assert(
        fc.asyncProperty(fc.commands(commands, { maxCommands: 40, size: 'max' }), async (steps) => {
          const world = new SpoolWorld();
          await world.start();
          await fc.asyncModelRun(() => ({ model: {}, real: world }), steps);
          await world.heal();
          await world.restart('close', () => true);
          for (const key of Object.keys(seen) as (keyof typeof seen)[]) seen[key] += world.seen[key];
        }),
        { numRuns: RUNS },
      );
      // A run in which nothing ever went wrong would prove nothing.
      for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(0);
    },
    60_000 + RUNS * 200,
  );
});
