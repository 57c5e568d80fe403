import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { numbersFrom } from './batches.js';
import { settled } from './fake-process.js';
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
const pick = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const death = fc.constantFrom('kill', 'power cut');

function chanceOf(from: number): () => boolean {
  const next = numbersFrom(from);
  // Some crashes take nearly all, some nearly nothing.
  const share = next();
  return () => next() < share;
}

function command<T extends unknown[]>(
  name: string,
  args: fc.Arbitrary<T>,
  step: (world: SpoolWorld, ...args: T) => Promise<void>,
) {
  return args.map(
    (values) =>
      new Command(`${name}(${JSON.stringify(values).slice(1, -1)})`, (world) => step(world, ...values)),
  );
}

const append = command('append', fc.tuple(sizes), async (world, given) => {
  await Promise.all(world.append(given));
});

const commands = [
  append,
  append,
  command('append one by one', fc.tuple(sizes), async (world, given) => {
    for (const size of given) await Promise.all(world.append([size]));
  }),
  command('appendSync amid appends', fc.tuple(sizes, sizes, fc.nat(6)), async (world, some, more, turns) => {
    const waiting = world.append(some);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    world.append(more, true);
    await Promise.all(waiting);
  }),
  command('sync', fc.tuple(), (world) => world.sync()),
  command('release', fc.tuple(pick, fc.boolean()), (world, ...args) => world.release(...args)),
  command('read', fc.tuple(pick), (world, at) => world.read(at)),
  command('wait', fc.tuple(fc.constantFrom(20, 1_100, 11_000)), (world, ms) => world.wait(ms)),
  command('write back', fc.tuple(seed), async (world, from) => world.disk.writeBack(chanceOf(from))),
  command('flip a bit', fc.tuple(pick, seed), async (world, ...args) => world.flip(...args)),
  command('disk full', fc.tuple(fc.nat(2_000)), async (world, free) => world.fill(free)),
  command(
    'disk fails',
    fc.tuple(
      fc.constantFrom('write', 'sync', 'truncate', 'create'),
      fc.constantFrom('EIO', 'EROFS', 'EDQUOT'),
    ),
    async (world, ...args) => world.fail(...args),
  ),
  command('heal', fc.tuple(), (world) => world.heal()),
  command('restart', fc.tuple(), (world) => world.heal().then(() => world.restart('close', () => true))),
  command('die', fc.tuple(death, seed), (world, how, from) => world.restart(how, chanceOf(from))),
  command(
    'die in an append',
    fc.tuple(sizes, fc.nat(8), death, seed),
    async (world, given, operations, how, from) => {
      world.disk.dieAfter(operations);
      void world.append(given);
      await settled();
      await world.restart(how, chanceOf(from));
    },
  ),
  command(
    'die in a sync',
    fc.tuple(sizes, fc.nat(8), death, seed),
    async (world, given, operations, how, from) => {
      await Promise.all(world.append(given));
      world.disk.dieAfter(operations);
      await world.wait(60);
      await world.restart(how, chanceOf(from));
    },
  ),
  command('die in a release', fc.tuple(fc.nat(8), death, seed), async (world, operations, how, from) => {
    world.disk.dieAfter(operations);
    await world.release(0, true);
    await world.wait(1_100);
    await world.restart(how, chanceOf(from));
  }),
  command('die in close', fc.tuple(fc.nat(20), death, seed), async (world, operations, how, from) => {
    world.disk.dieAfter(operations);
    void world.spool.close();
    await settled();
    await world.restart(how, chanceOf(from));
  }),
  command('die twice', fc.tuple(fc.nat(60), death, seed), (world, operations, how, from) =>
    world.restartTwice(how, chanceOf(from), operations),
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
