import { ReplyError } from 'ioredis';
import { describe, expect, it } from 'vitest';
import {
  failureOf,
  failureOfAppend,
  failureOfPlainAppend,
  failureOfReply,
  UNSENT,
} from '../../../src/redis/failure.js';
import { closedError, GIVEN_UP } from '../../../src/redis/link-errors.js';

/** What servers of several versions said, word for word; measured on 7.0.15 where no version is named. */
const OF_THE_SERVER = {
  oom: "OOM command not allowed when used memory > 'maxmemory'. script: a8e045, on @user_script:1.",
  oomOf62:
    "ERR Error running script (call to f_e6): @user_script:41: @user_script: 41: -OOM command not allowed when used memory > 'maxmemory'.",
  readOnly: "READONLY You can't write against a read only replica. script: a8e045, on @user_script:1.",
  readOnlyOf62:
    "ERR Error running script (call to f_e6): @user_script:1: @user_script: 1: -READONLY You can't write against a read only replica.",
  loading: 'LOADING Redis is loading the dataset in memory',
  noPermissionForKey: 'NOPERM this user has no permissions to access one of the keys used as arguments',
  noPermissionInScript:
    "ERR The user executing the script can't run this command or subcommand script: 8a2f22, on @user_script:1.",
  noPermissionInScriptOf62:
    "@user_script: 145: The user executing the script can't run this command or subcommand",
  noPermissionInScriptOf72:
    "ERR ACL failure in script: User app has no permissions to run the 'xadd' command script: 8a2f22, on @user_script:1.",
  noKeyInScript:
    "ERR The user executing the script can't access at least one of the keys mentioned in the command arguments",
  wrongType: 'WRONGTYPE Operation against a key holding the wrong kind of value',
  noEval: "NOPERM this user has no permissions to run the 'eval' command",
  noEvalOf62: "NOPERM this user has no permissions to run the 'evalsha' command or its subcommand",
  noEvalOf74: "NOPERM User app has no permissions to run the 'eval' command",
  unknownEval: "ERR unknown command 'eval', with args beginning with: 'return 1'",
  noXadd: "NOPERM this user has no permissions to run the 'xadd' command",
  badRecord: 'ERR The stream has exhausted the last possible ID, unable to add more items',
} as const;

function summary(message: string): string {
  const { kind, token, persisted } = failureOfReply(message);
  return `${kind} ${token} ${persisted}`;
}

describe('What an answer of the server means for the records that were sent', () => {
  it('is that they wait and are sent again, for a state of the server that ends by itself', () => {
    expect(summary(OF_THE_SERVER.oom)).toBe('retry OOM no');
    expect(summary(OF_THE_SERVER.loading)).toBe('retry LOADING no');
    expect(summary(OF_THE_SERVER.readOnly)).toBe('retry READONLY no');
    for (const token of [
      'MASTERDOWN',
      'BUSY',
      'TRYAGAIN',
      'CLUSTERDOWN',
      'NOREPLICAS',
      'MISCONF',
      'NOSCRIPT',
    ]) {
      expect(summary(`${token} for some reason`)).toBe(`retry ${token} no`);
    }
  });

  it('is that somebody must act, for a missing right or a key of another type', () => {
    expect(summary(OF_THE_SERVER.noPermissionForKey)).toBe('circuit NOPERM no');
    expect(summary(OF_THE_SERVER.wrongType)).toBe('circuit WRONGTYPE no');
    expect(summary(OF_THE_SERVER.noXadd)).toBe('circuit NOPERM no');
    expect(summary('NOAUTH Authentication required.')).toBe('circuit NOAUTH no');
  });

  it('is the same when a script met it, which Redis 6.2 and 7.0 put into other words', () => {
    expect(summary(OF_THE_SERVER.oomOf62)).toBe('retry OOM no');
    expect(summary(OF_THE_SERVER.readOnlyOf62)).toBe('retry READONLY no');
    for (const name of [
      'noPermissionInScript',
      'noPermissionInScriptOf62',
      'noPermissionInScriptOf72',
      'noKeyInScript',
    ] as const) {
      expect(summary(OF_THE_SERVER[name])).toBe('circuit NOPERM no');
      // A record must never be set aside because of a missing right.
      expect(failureOfAppend(OF_THE_SERVER[name]).kind).toBe('circuit');
    }
  });

  it('is that no scripts can be had only when it is the script commands that are refused', () => {
    for (const name of ['noEval', 'noEvalOf62', 'noEvalOf74', 'unknownEval'] as const) {
      expect(failureOfReply(OF_THE_SERVER[name]).kind).toBe('no-scripts');
    }
    expect(failureOfReply("ERR unknown command 'xadd'").kind).toBe('circuit');
    expect(failureOfReply("ERR 'eval' is what some record says").kind).toBe('retry');
  });

  it('is that the very record is bad, for an unknown error of one append', () => {
    expect(failureOfAppend(OF_THE_SERVER.badRecord)).toMatchObject({ kind: 'record', persisted: 'no' });
    expect(failureOfAppend(OF_THE_SERVER.oom).kind).toBe('retry');
    expect(failureOfAppend(OF_THE_SERVER.readOnly).kind).toBe('retry');
  });

  it('is that only a known error of one append is about the record, where no script names it', () => {
    for (const text of [
      "ERR wrong number of arguments for 'xadd' command",
      'ERR Protocol error: invalid bulk length',
    ]) {
      expect(failureOfPlainAppend(text)).toMatchObject({ kind: 'record', persisted: 'no' });
    }
    for (const text of ['ERR max daily request limit exceeded', OF_THE_SERVER.badRecord]) {
      expect(failureOfPlainAppend(text)).toMatchObject({
        kind: 'retry',
        persisted: 'no',
        refusal: 'answered',
      });
    }
    expect(failureOfPlainAppend(OF_THE_SERVER.oom)).toEqual(failureOfReply(OF_THE_SERVER.oom));
    expect(failureOfPlainAppend(OF_THE_SERVER.noXadd).kind).toBe('circuit');
  });

  it('names the command that may not be run, and how to allow it, but no key', () => {
    for (const name of ['noXadd', 'noPermissionInScriptOf72', 'noEvalOf62', 'noEvalOf74'] as const) {
      const command = name.startsWith('noEval') ? (name === 'noEvalOf62' ? 'evalsha' : 'eval') : 'xadd';
      expect(failureOfReply(OF_THE_SERVER[name]).text).toContain(
        `forbids the command ${command}; allow it with ACL SETUSER (+${command})`,
      );
    }
    const secret = "NOPERM this user has no permissions to access the 'secret:key' key";
    expect(failureOfReply(secret).text).not.toContain('secret:key');
    expect(failureOfReply(secret).text).toContain('aclRules()');
  });

  it('is unknown for any other error: the records may be stored', () => {
    expect(summary('ERR something new')).toBe('retry ERR possibly');
    expect(summary('')).toBe('retry  possibly');
  });

  it('is that the batch may be refused, where the server knows no other reason', () => {
    expect(failureOfReply('ERR something new').refusal).toBe('answered');
    expect(failureOfReply('ERR Protocol error: invalid bulk length')).toMatchObject({
      token: 'PROTOCOL',
      persisted: 'no',
      refusal: 'answered',
    });
    expect(failureOfReply(OF_THE_SERVER.oom).refusal).toBeUndefined();
  });

  it.each(['upstream failure', 'no healthy upstream', 'ERR Connection refused', 'ERR Operation timed out'])(
    'is nothing against the records where a proxy says it: %s',
    (text) => {
      const failure = { kind: 'retry', token: 'PROXY', persisted: 'possibly' };
      expect(failureOfReply(text)).toMatchObject(failure);
      expect(failureOfReply(text).refusal).toBeUndefined();
      expect(failureOfAppend(text)).toMatchObject(failure);
    },
  );
});

describe('What an error of the connection means', () => {
  it('is that the records may be stored, unless the command never left', () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    expect(failureOf(reset)).toMatchObject({ kind: 'retry', token: 'ECONNRESET', persisted: 'possibly' });
    expect(failureOf(new Error('Connection is closed.')).persisted).toBe('possibly');
    const unsent = new Error("Stream isn't writeable and enableOfflineQueue options is false");
    expect(failureOf(unsent).persisted).toBe('no');
    for (const thrown of [undefined, null, 'text', 7, {}]) {
      expect(failureOf(thrown)).toMatchObject({ kind: 'retry', persisted: 'possibly' });
    }
  });

  it('is that the server may refuse the batch itself, if it was the server that ended the connection', () => {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    expect(failureOf(reset).refusal).toBe('hung-up');
    expect(failureOf(new Error('Connection is closed.')).refusal).toBe('hung-up');
    for (const code of ['ETIMEDOUT', UNSENT, GIVEN_UP]) {
      expect(failureOf(Object.assign(new Error('Connection is closed.'), { code })).refusal).toBeUndefined();
    }
    expect(failureOf(closedError(UNSENT)).persisted).toBe('no');
    expect(failureOf(closedError(GIVEN_UP)).persisted).toBe('possibly');
  });

  it('never tells what the command held', () => {
    const error = Object.assign(new Error('oops secret-body'), {
      command: { name: 'xadd', args: ['logs', 'secret-body', 'secret-password'] },
    });
    expect(JSON.stringify(failureOf(error))).not.toContain('secret');
    const reply = new ReplyError('WRONGPASS secret-password');
    expect(failureOf(reply).token).toBe('WRONGPASS');
    expect(JSON.stringify(failureOf(reply))).not.toContain('secret');
  });
});
