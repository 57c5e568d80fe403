import { describe, expect, it } from 'vitest';
import { LevelChanges } from '../../../src/nest/logger/level-changes.js';
import { LevelFilter } from '../../../src/nest/logger/levels.js';
import type { Runtime } from '../../../src/pipeline/runtime.js';

/** A clock that moves when it is told to. */
class Clock implements Runtime {
  #now = 0;
  readonly #timers = new Map<number, { at: number; callback: () => void }>();
  #next = 0;
  readonly now = (): number => this.#now;
  readonly random = (): number => 0.5;
  after(delayMs: number, callback: () => void): () => void {
    const id = this.#next++;
    this.#timers.set(id, { at: this.#now + delayMs, callback });
    return () => this.#timers.delete(id);
  }
  move(ms: number): void {
    this.#now += ms;
    for (const [id, { at, callback }] of this.#timers) {
      if (at > this.#now) continue;
      this.#timers.delete(id);
      callback();
    }
  }
  get timers(): number {
    return this.#timers.size;
  }
}

describe('Levels changed at run time', () => {
  it('end one after the other, each at its time, with one timer for all', () => {
    const clock = new Clock();
    let changes = 0;
    const levels = new LevelChanges(clock, () => changes++);
    levels.replace([
      { context: 'A', level: 'debug', remainingMs: 100 },
      { context: 'B', level: 'debug', remainingMs: 200 },
      { context: 'C', level: 'debug', remainingMs: undefined },
    ]);
    const on = (): string => ['A', 'B', 'C'].filter((name) => levels.get(name) !== undefined).join('');
    expect(clock.timers).toBe(1);
    clock.move(100);
    expect(on()).toBe('BC');
    clock.move(100);
    expect(on()).toBe('C');
    expect(clock.timers).toBe(0);
    expect(changes).toBe(3);
    levels.clear('C');
    expect(levels.isEmpty).toBe(true);
  });

  it('may last longer than a timer can wait', () => {
    const clock = new Clock();
    const levels = new LevelChanges(clock, () => undefined);
    levels.set({ context: 'A', level: 'debug', remainingMs: 3_000_000_000 });
    clock.move(2_147_483_647);
    expect(levels.get('A')).toBe('debug');
    clock.move(1_000_000_000);
    expect(levels.get('A')).toBeUndefined();
  });

  it('come before the options: those of the process first, then those of the fleet', () => {
    const clock = new Clock();
    const filter = new LevelFilter('log', { 'Orders*': 'warn' }, clock);
    const levelOf = (context: string): string | undefined =>
      (['verbose', 'debug', 'log', 'warn', 'error'] as const).find((level) =>
        filter.isEnabled(level, context),
      );
    expect([levelOf('Orders'), levelOf('')]).toEqual(['warn', 'log']);
    filter.fleet.set({ context: '*', level: 'debug', remainingMs: undefined });
    expect([levelOf('Orders'), levelOf('')]).toEqual(['debug', 'debug']);
    filter.own.set({ context: 'Orders', level: 'error', remainingMs: 50 });
    expect([levelOf('Orders'), levelOf('OrdersService')]).toEqual(['error', 'debug']);
    clock.move(50);
    expect(levelOf('Orders')).toBe('debug');
    filter.fleet.replace([]);
    expect([levelOf('Orders'), levelOf('')]).toEqual(['warn', 'log']);
    expect(filter.hasRules).toBe(true);
  });
});
