import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RedisServer, startRedisServer } from '../../support/redis-server.js';
import { anyCall } from './any-call.js';
import { CALL_GROUPS } from './calls.js';
import { consoleRecords } from './console-oracle.js';
import { INTERNAL_GROUPS } from './internals.js';
import { GENERATIONS } from './nest-generations.js';
import { RedisSubject } from './redis-subject.js';
import { storedForm } from './stored-form.js';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer();
});
afterAll(() => server.stop());

describe.each(GENERATIONS)('On $name the stream holds what ConsoleLogger would print', (generation) => {
  let subject: RedisSubject;
  beforeAll(() => {
    subject = new RedisSubject(generation, server);
  });
  afterAll(() => subject[Symbol.asyncDispose]());

  const groups = generation.name === 'Nest 12' ? [...CALL_GROUPS, ...INTERNAL_GROUPS] : CALL_GROUPS;

  it.each(groups)('of $name', async ({ calls }) => {
    for (const call of calls) {
      const stored = await subject.run(call);
      const printed = await consoleRecords(call, generation, storedForm);
      expect(printed.length, call.name).toBeGreaterThan(0);
      expect(stored, call.name).toStrictEqual(printed);
    }
  });

  it('of any arguments', async () => {
    await fc.assert(
      fc.asyncProperty(anyCall, async (call) => {
        expect(await subject.run(call), call.name).toStrictEqual(
          await consoleRecords(call, generation, storedForm),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});
