import { describe, expect, it } from 'vitest';
import { watchResult } from '../../../src/nest/handlers/watch-result.js';

describe('What a task returns', () => {
  it('is passed on, and done, where it throws when it is looked at', () => {
    const strict = new Proxy(
      {},
      {
        get(_, name): never {
          throw new Error(`unknown setting ${String(name)}`);
        },
      },
    );
    const told: string[] = [];
    const watching = {
      run: <T>(work: () => T): T => work(),
      succeed: () => void told.push('done'),
      fail: () => void told.push('failed'),
      cancel: () => void told.push('cancelled'),
    };
    expect(watchResult(watching, strict) === strict).toBe(true);
    expect(told).toEqual(['done']);
  });
});
