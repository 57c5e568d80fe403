import { describe, expect, it } from 'vitest';
import { Turns } from '../../../src/consumer/turns.js';

const { signal } = new AbortController();

describe('Turns', () => {
  it('are taken by so many at once, in the order in which they asked', async () => {
    const turns = new Turns(2);
    const taken: number[] = [];
    const take = async (n: number): Promise<void> => {
      if (await turns.take(signal)) taken.push(n);
    };
    const all = [0, 1, 2, 3].map(take);
    await Promise.all(all.slice(0, 2));
    expect(taken).toEqual([0, 1]);
    turns.give();
    await all[2];
    expect(taken).toEqual([0, 1, 2]);
    turns.give();
    await all[3];
    expect(taken).toEqual([0, 1, 2, 3]);
  });

  it('are not taken by who has given up waiting', async () => {
    const turns = new Turns(1);
    expect(await turns.take(signal)).toBe(true);
    const ending = new AbortController();
    const [first, second] = [turns.take(ending.signal), turns.take(signal)];
    ending.abort();
    expect(await first).toBe(false);
    expect(await turns.take(ending.signal)).toBe(false);
    turns.give();
    expect(await second).toBe(true);
  });
});
