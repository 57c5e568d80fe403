import { describe, expect, it } from 'vitest';
import { until } from '../../support/until.js';

describe('until', () => {
  it('gives the first truthy value and looks no further', async () => {
    let looks = 0;
    const value = await until(() => {
      looks += 1;
      return looks === 3 ? 'third' : undefined;
    });

    expect(value).toBe('third');
    expect(looks).toBe(3);
  });

  it('takes a condition that throws for one that is not yet true', async () => {
    let looks = 0;
    const value = await until(() => {
      looks += 1;
      if (looks < 2) throw new Error('not there');
      return looks;
    });

    expect(value).toBe(2);
  });

  it('says what it waited for and what it saw last when the time is up', async () => {
    await expect(until(() => 0, { what: 'a miracle', timeoutMs: 20 })).rejects.toThrow(
      /20 ms, waiting for a miracle; last seen: 0/,
    );
  });

  it('hands on the last error when the time is up', async () => {
    const cause = new Error('still down');
    const failing = until(() => Promise.reject(cause), { timeoutMs: 20 });

    await expect(failing).rejects.toMatchObject({ cause });
  });
});
