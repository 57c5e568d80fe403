import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { killWithThisProcess } from '../../support/child-guard.js';
import { until } from '../../support/until.js';
import { numbersFrom } from '../../unit/spool/batches.js';
import type { ChildOrder, CrashPoint } from './protocol.js';

const TYPESCRIPT = new URL('../../soak/typescript.mjs', import.meta.url).href;
const CHILD = fileURLToPath(new URL('child.ts', import.meta.url));
const FLAGS = ['--no-warnings', '--experimental-strip-types', '--import', TYPESCRIPT];
const WRITERS = 2;

class Child {
  readonly appended = new Set<number>();
  readonly released = new Set<number>();
  readonly adopted: number[] = [];
  readonly wrong: string[] = [];
  isReady = false;
  /** It has adopted all it could, or it is gone. */
  isDone = false;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(order: Partial<ChildOrder> & Pick<ChildOrder, 'role' | 'directory'>) {
    const whole = { from: 1, isLast: false, ...order };
    const child = spawn(process.execPath, [...FLAGS, CHILD, JSON.stringify(whole)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const unwatch = killWithThisProcess(child);
    this.#process = child;
    // Of a child that was killed everything that it wrote still comes, before its streams close.
    this.#ended = once(child, 'close').then(() => {
      this.isDone = true;
      unwatch();
    });
    child.stdin.on('error', () => {});
    createInterface(child.stdout).on('line', (line) => this.#take(line));
  }

  #take(line: string): void {
    const number = Number(line.slice(1));
    if (line === 'ready') this.isReady = true;
    else if (line === 'done') this.isDone = true;
    else if (line.startsWith('+')) this.appended.add(number);
    else if (line.startsWith('-')) this.released.add(number);
    else if (line.startsWith('=')) this.adopted.push(number);
    else this.wrong.push(line);
  }

  get needed(): readonly number[] {
    return [...this.appended].filter((number) => !this.released.has(number));
  }

  go(): void {
    this.#process.stdin?.write('go\n');
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }

  /** Resolves with the signal that ended it. */
  async ended(): Promise<NodeJS.Signals | null> {
    await this.#ended;
    return this.#process.signalCode;
  }
}

let directory = '';

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spool-kill-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

function ready(children: readonly Child[]): Promise<unknown> {
  return until(() => children.every(({ isReady }) => isReady), {
    what: 'children to start',
    timeoutMs: 30_000,
  });
}

/** Two processes look for orphans at the same moment. */
async function race(crash?: CrashPoint): Promise<readonly Child[]> {
  const one = new Child({ role: 'adopter', directory });
  const other = new Child({ role: 'adopter', directory, crash });
  await ready([one, other]);
  one.go();
  other.go();
  await until(() => one.isDone && other.isDone, { what: 'both to have adopted', timeoutMs: 30_000 });
  one.go();
  other.go();
  await Promise.all([one.ended(), other.ended()]);
  return [one, other];
}

async function adoptTheRest(): Promise<Child> {
  const last = new Child({ role: 'adopter', directory, isLast: true });
  await ready([last]);
  last.go();
  expect(await last.ended()).toBeNull();
  return last;
}

function sorted(numbers: Iterable<number>): readonly number[] {
  return [...numbers].toSorted((one, other) => one - other);
}

/** Each batch that is needed was found once; and none that nobody tried to append. */
function expectFound(found: readonly number[], writers: readonly Child[]): void {
  expect(found.length).toBe(new Set(found).size);
  expect(sorted(new Set(found))).toStrictEqual(
    sorted(new Set([...found, ...writers.flatMap(({ needed }) => needed)])),
  );
  for (const writer of writers) expect(writer.wrong).toStrictEqual([]);
}

/** What writers left is found by one of two that race for it, and again, after their own end, by the next. */
async function expectAdoptedOnce(writers: readonly Child[], crash?: CrashPoint): Promise<void> {
  const racers = await race(crash);
  const found = racers.flatMap(({ adopted }) => adopted);
  // One that was killed in the race had no time to say what it found.
  if (crash === undefined) expectFound(found, writers);
  expect(found.length).toBe(new Set(found).size);
  const last = await adoptTheRest();
  for (const { wrong } of [...racers, last]) expect(wrong).toStrictEqual([]);
  expectFound(last.adopted, writers);
  if (crash === undefined) expect(sorted(last.adopted)).toStrictEqual(sorted(found));
  expect((await readdir(directory)).filter((name) => name !== 'bad')).toStrictEqual([]);
}

function startWriters(crash?: CrashPoint): readonly Child[] {
  return Array.from(
    { length: WRITERS },
    (_, index) => new Child({ role: 'writer', directory, from: 1 + index * 1_000_000, crash }),
  );
}

const WRITER_POINTS: readonly CrashPoint[] = [
  { operation: 'rename', when: 'before', nth: 1 },
  { operation: 'rename', when: 'after', nth: 1 },
  { operation: 'create', when: 'after', nth: 3 },
  { operation: 'write', when: 'before', nth: 30 },
  { operation: 'write', when: 'half-way', nth: 40 },
  { operation: 'write', when: 'after', nth: 50 },
  { operation: 'writeSync', when: 'half-way', nth: 2 },
  { operation: 'writeSync', when: 'after', nth: 3 },
  { operation: 'sync', when: 'before', nth: 4 },
  { operation: 'sync', when: 'after', nth: 4 },
  { operation: 'syncDirectory', when: 'before', nth: 5 },
  { operation: 'remove', when: 'before', nth: 2 },
  { operation: 'remove', when: 'after', nth: 3 },
];

const ADOPTER_POINTS: readonly CrashPoint[] = [
  { operation: 'rename', when: 'before', nth: 2 },
  { operation: 'rename', when: 'after', nth: 2 },
  { operation: 'touch', when: 'after', nth: 1 },
  { operation: 'sync', when: 'before', nth: 3 },
];

function nameOf({ operation, when, nth }: CrashPoint): string {
  return `${when} ${operation} ${nth}`;
}

describe('a spool whose process is killed with SIGKILL', () => {
  it.each(WRITER_POINTS.map((point) => [nameOf(point), point] as const))(
    'keeps every batch whose append has resolved, for exactly one of two that adopt it: killed %s',
    async (_, point) => {
      const writers = startWriters(point);
      for (const writer of writers) expect(await writer.ended()).toBe('SIGKILL');
      await expectAdoptedOnce(writers);
    },
  );

  it('keeps them whatever the moment, and those of all processes', async () => {
    const next = numbersFrom(Number(process.env['FAULT_SEED'] ?? 1));
    const writers: Child[] = [];
    for (let round = 0; round < 6; round++) {
      const started = startWriters();
      await ready(started);
      await until(() => started.every(({ appended }) => appended.size > 300 * next()), { timeoutMs: 30_000 });
      for (const writer of started) writer.kill();
      for (const writer of started) await writer.ended();
      await expectAdoptedOnce(started);
      writers.push(...started);
    }
    expect(writers.reduce((total, { needed }) => total + needed.length, 0)).toBeGreaterThan(0);
  });

  it.each(ADOPTER_POINTS.map((point) => [nameOf(point), point] as const))(
    'keeps them when one that adopts them is killed too: %s',
    async (_, point) => {
      const writers = startWriters({ operation: 'write', when: 'after', nth: 50 });
      for (const writer of writers) expect(await writer.ended()).toBe('SIGKILL');
      await expectAdoptedOnce(writers, point);
    },
  );
});
