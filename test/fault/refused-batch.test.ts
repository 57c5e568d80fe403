import { describe, expect, it } from 'vitest';
import type { RedisLogWriterOptions } from '../../src/core.js';
import { fasterRuntime } from '../support/faster-runtime.js';
import { IMPATIENT, OracleWriter } from '../support/oracle.js';
import { expectClosed, expectExactlyOnce } from '../support/oracle-expect.js';
import { startRedisServer } from '../support/redis-server.js';
import {
  NO_REPLY,
  resp,
  type ScriptedCommand,
  type ScriptedReply,
  startScriptedRespServer,
} from '../support/scripted-resp-server.js';
import { until } from '../support/until.js';

const MIB = 1_048_576;
const UNSTORABLE = 'unstorable';

/** All but the records that no one can store are delivered, and nobody waits for those. */
async function allButRejected(oracle: OracleWriter, rejected: number): Promise<void> {
  await until(() => oracle.stats.dropped.rejected === rejected, {
    what: 'the record to be set aside',
    timeoutMs: 40_000,
  });
  await oracle.delivered(oracle.emitted - rejected);
  expect(oracle.stats).toMatchObject({ dropped: { rejected }, queued: 0, inFlight: 0 });
}

/** A batch holds the record when its bytes do. */
function holds({ rawArgs }: ScriptedCommand, text: string): boolean {
  return rawArgs.some((arg) => arg.includes(text));
}

/** A server with one guard, for one producer: numbers, and no records. */
function scriptedGuard(refuse: (command: ScriptedCommand) => ScriptedReply | undefined): {
  script: (command: ScriptedCommand) => ScriptedReply | undefined;
  readonly taken: () => number;
} {
  let seq = 0;
  let taken = 0;
  return {
    taken: () => taken,
    script(command) {
      const { name, args } = command;
      if (name === 'EVAL') return resp.value(['GUARD', String(seq), '0-0', args[10] ?? '']);
      if (name !== 'EVALSHA') return undefined;
      const refusal = refuse(command);
      if (refusal !== undefined) return refusal;
      const [prev = 0, first = 0, count = 0] = args.slice(11, 14).map(Number);
      if (prev !== seq) return resp.value(['REFUSED', String(seq)]);
      if (count > 0) seq = first + count - 1;
      taken += count;
      return resp.value(['OK', '1-1', '']);
    },
  };
}

function emitWith(oracle: OracleWriter, at: number, of: number): void {
  for (let n = 0; n < of; n++) {
    if (n === at) {
      oracle.emitted++;
      oracle.writer.emit({ body: UNSTORABLE, severityNumber: 17 });
    } else oracle.emit();
  }
}

describe('A record that is larger than the server takes', () => {
  it.each(['exactly-once', 'at-least-once'] as const)(
    'is set aside with its reason, and the others are delivered in order (%s)',
    async (delivery) => {
      await using server = await startRedisServer({ config: ['proto-max-bulk-len 1mb'] });
      const client = server.client();
      const options: RedisLogWriterOptions = {
        connection: server.url,
        delivery,
        batch: { maxBytes: 8 * MIB },
      };
      await using oracle = new OracleWriter(options, IMPATIENT);
      oracle.emit(100);
      await oracle.delivered(100);
      oracle.emit(50);
      oracle.emitted++;
      oracle.writer.emit({ body: 'x'.repeat(2 * MIB), severityNumber: 17 });
      oracle.emit(200);
      await allButRejected(oracle, 1);
      expect(oracle.lines.filter((line) => line.includes('set aside'))).toHaveLength(1);
      expect(oracle.lines.some((line) => line.includes('proto-max-bulk-len'))).toBe(true);
      await expectClosed(oracle);
      if (delivery === 'exactly-once') await expectExactlyOnce(oracle, client);
      else expect((await oracle.audit(client)).unique.size).toBe(350);
    },
  );
});

describe('A batch that the server refuses without naming a record', () => {
  it('is cut until the record is found, which is tried three times and set aside; its neighbours go through', async () => {
    const guard = scriptedGuard((command) =>
      holds(command, UNSTORABLE) ? resp.error('ERR something that nobody knows') : undefined,
    );
    await using scripted = await startScriptedRespServer(guard.script);
    await using oracle = new OracleWriter({ connection: scripted.url }, IMPATIENT);
    emitWith(oracle, 123, 300);
    await allButRejected(oracle, 1);
    expect(guard.taken()).toBe(299);
    const refused = scripted.received('EVALSHA').filter((command) => holds(command, UNSTORABLE));
    const sizes = refused.map(({ args }) => Number(args[13]));
    // Three tries of the whole, one of each half, and three of the record alone.
    expect(sizes.filter((size) => size === sizes[0])).toHaveLength(3);
    expect(sizes.slice(-3)).toEqual([1, 1, 1]);
    expect(sizes.length).toBeLessThan(16);
    // An answer is no reason to give the connection up.
    expect(scripted.connections).toBe(1);
    await expectClosed(oracle);
  });

  it('for two reasons at once loses both records and no other', async () => {
    const guard = scriptedGuard((command) =>
      holds(command, UNSTORABLE) ? resp.error('ERR something that nobody knows') : undefined,
    );
    await using scripted = await startScriptedRespServer(guard.script);
    await using oracle = new OracleWriter({ connection: scripted.url }, IMPATIENT);
    emitWith(oracle, 0, 100);
    emitWith(oracle, 99, 100);
    await allButRejected(oracle, 2);
    expect(guard.taken()).toBe(198);
    await expectClosed(oracle);
  });

  it('by ending the connection is cut as well, and the record goes after half a minute', async () => {
    const ended = new Set<number>();
    const guard = scriptedGuard((command) => {
      if (ended.has(command.connection)) return NO_REPLY;
      if (!holds(command, UNSTORABLE)) return undefined;
      ended.add(command.connection);
      return { end: 'reset' };
    });
    await using scripted = await startScriptedRespServer(guard.script);
    await using oracle = new OracleWriter({ connection: scripted.url }, fasterRuntime(50));
    const start = performance.now();
    emitWith(oracle, 7, 20);
    await allButRejected(oracle, 1);
    expect((performance.now() - start) * 50).toBeGreaterThan(30_000);
    expect(guard.taken()).toBe(19);
    await expectClosed(oracle);
  });
});

describe('An outage is no refusal:', () => {
  it.each([
    ['ends every connection upon any batch', (): ScriptedReply => ({ end: 'reset' })],
    [
      'answers as a proxy does whose server is away',
      (): ScriptedReply => resp.error('ERR Connection refused'),
    ],
    ['answers in small letters, as another proxy does', (): ScriptedReply => resp.error('upstream failure')],
    ['answers every batch with an error, and OPEN too', (): ScriptedReply => resp.error('ERR out of order')],
  ])('a server that %s gets all records in the end', async (what, fault) => {
    let isOut = true;
    const guard = scriptedGuard(() => (isOut ? fault() : undefined));
    await using scripted = await startScriptedRespServer((command) => {
      if (isOut && what.includes('OPEN') && command.name === 'EVAL') return fault();
      return guard.script(command);
    });
    await using oracle = new OracleWriter({ connection: scripted.url }, IMPATIENT);
    oracle.emit(40);
    const tries = (): number => scripted.received(what.includes('OPEN') ? 'EVAL' : 'EVALSHA').length;
    await until(() => tries() >= 20, { timeoutMs: 20_000 });
    expect(oracle.stats).toMatchObject({ delivered: 0, dropped: {} });
    isOut = false;
    await oracle.delivered(40);
    expect(guard.taken()).toBe(40);
    await expectClosed(oracle);
  });
});
