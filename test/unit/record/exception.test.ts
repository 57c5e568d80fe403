import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { exceptionAttributes, isErrorLike } from '../../../src/record/exception.js';
import type { Attributes } from '../../../src/record/log-record.js';
import { Normalizer } from '../../../src/record/normalize.js';

function describeThrown(thrown: unknown, target: Attributes = {}): Attributes {
  exceptionAttributes(thrown, target, new Normalizer());
  return target;
}

describe('an error that is logged', () => {
  it('has its type, message and stack under the names of the semantic conventions', () => {
    const error = new TypeError('bad input');
    expect(describeThrown(error)).toStrictEqual({
      'exception.type': 'TypeError',
      'exception.message': 'bad input',
      'exception.stacktrace': error.stack,
    });
  });

  it('is of the type that its class names, or that it names itself', () => {
    class PaymentDeclined extends Error {}
    const named = Object.assign(new Error('x'), { name: 'ValidationError' });
    expect(describeThrown(new PaymentDeclined('x'))['exception.type']).toBe('PaymentDeclined');
    expect(describeThrown(named)['exception.type']).toBe('ValidationError');
  });

  it('keeps its code and its own properties', () => {
    const error = Object.assign(new Error('refused'), {
      code: 'ECONNREFUSED',
      port: 6379,
      response: { a: [1] },
    });
    expect(describeThrown(error)).toMatchObject({
      'exception.code': 'ECONNREFUSED',
      'exception.port': 6379,
      'exception.response': { a: [1] },
    });
  });

  it('does not let a property of its own pass for its type', () => {
    const error = Object.assign(new Error('card'), { type: 'StripeCardError' });
    expect(describeThrown(error)).toMatchObject({
      'exception.type': 'Error',
      'exception.own.type': 'StripeCardError',
    });
  });

  it('brings its causes, each with type, message, stack and code', () => {
    const root = Object.assign(new RangeError('root'), { code: 7 });
    const error = new Error('top', { cause: new TypeError('middle', { cause: root }) });
    expect(describeThrown(error)).toMatchObject({
      'exception.message': 'top',
      'exception.cause.type': 'TypeError',
      'exception.cause.message': 'middle',
      'exception.cause.stacktrace': expect.stringContaining('TypeError: middle'),
      'exception.cause.cause.type': 'RangeError',
      'exception.cause.cause.code': 7,
    });
  });

  it('brings at most five causes, and says that there were more', () => {
    let error = new Error('0');
    for (let level = 1; level <= 9; level++) error = new Error(String(level), { cause: error });
    const normalizer = new Normalizer();
    const target: Attributes = {};
    exceptionAttributes(error, target, normalizer);
    const causes = 'cause.'.repeat(5);
    expect(target[`exception.${causes}message`]).toBe('4');
    expect(target[`exception.${causes}cause`]).toBe('[Depth]');
    expect(normalizer.truncations).toBe(1);
  });

  it('says so when it has more properties than are kept', () => {
    const own = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, index]));
    const normalizer = new Normalizer();
    exceptionAttributes(Object.assign(new Error('e'), own), {}, normalizer);
    expect(normalizer.droppedAttributes + normalizer.truncations).toBe(1_000 + 3 - 128);
  });

  it('ends where it is its own cause', () => {
    const error = new Error('round');
    error.cause = new Error('and round', { cause: error });
    expect(describeThrown(error)).toMatchObject({
      'exception.cause.message': 'and round',
      'exception.cause.cause': '[Circular]',
    });
  });

  it('keeps a cause that is no error', () => {
    expect(describeThrown(new Error('x', { cause: 'timeout' }))['exception.cause']).toBe('timeout');
    expect(describeThrown(new Error('x', { cause: { reason: 1 } }))['exception.cause.reason']).toBe(1);
  });

  it('brings the errors inside an AggregateError, and errors by field', () => {
    expect(describeThrown(new AggregateError([new TypeError('a'), 'b'], 'two'))).toMatchObject({
      'exception.type': 'AggregateError',
      'exception.errors': [{ type: 'TypeError', message: 'a' }, 'b'],
    });
    const invalid = Object.assign(new Error('invalid'), { errors: { email: new Error('missing') } });
    expect(describeThrown(invalid)['exception.errors']).toMatchObject({ email: { message: 'missing' } });
  });

  it('is described even when the record is full of attributes', () => {
    const full = Object.fromEntries(Array.from({ length: 128 }, (_, index) => [`a${index}`, index]));
    const normalizer = new Normalizer();
    exceptionAttributes(Object.assign(new Error('still here'), { extra: 1 }), full, normalizer);
    expect(full).toMatchObject({ 'exception.type': 'Error', 'exception.message': 'still here' });
    expect(full).not.toHaveProperty(['exception.extra']);
    expect(normalizer.droppedAttributes).toBe(1);
  });

  it('may also be something else that was thrown', () => {
    expect(describeThrown('text')).toEqual({ 'exception.type': 'string', 'exception.message': 'text' });
    expect(describeThrown(42)).toEqual({ 'exception.type': 'number', 'exception.message': '42' });
    expect(describeThrown(null)).toEqual({ 'exception.type': 'null' });
    expect(describeThrown(undefined)).toEqual({ 'exception.type': 'undefined' });
    expect(describeThrown({ message: 'm', status: 500 })).toEqual({
      'exception.type': 'Object',
      'exception.message': 'm',
      'exception.status': 500,
    });
    expect(describeThrown(Object.assign(new Error(), { message: { a: 1 } }))['exception.message']).toBe(
      '{"a":1}',
    );
  });

  it('never makes the log call throw', () => {
    const { proxy, revoke } = Proxy.revocable(new Error('gone'), {});
    revoke();
    expect(describeThrown(proxy)['exception.type']).toBe('[Threw: TypeError]');
    expect(describeThrown(new Error('outer', { cause: proxy }))).toMatchObject({
      'exception.message': 'outer',
    });
  });
});

describe('isErrorLike', () => {
  it('knows errors of every realm, and what kept a message and a stack on its way from a worker', () => {
    expect(isErrorLike(new TypeError('x'))).toBe(true);
    expect(isErrorLike(runInNewContext('new Error("x")'))).toBe(true);
    expect(isErrorLike(runInNewContext('const e = new Error(""); delete e.stack; e'))).toBe(true);
    expect(isErrorLike(new DOMException('x'))).toBe(true);
    expect(isErrorLike({ message: 'x', stack: 'Error: x\n    at y' })).toBe(true);
  });

  it('takes nothing else for an error, and never throws', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const value of [
      null,
      undefined,
      'Error: x',
      {},
      { message: 'x' },
      { stack: 1, message: 2 },
      [],
      proxy,
    ]) {
      expect(isErrorLike(value)).toBe(false);
    }
  });
});
