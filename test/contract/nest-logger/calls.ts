import type { LoggerService } from '@nestjs/common';
import type { Level } from '../../../src/record/severity.js';
import * as v from './values.js';

/** The ways in which an application reaches a logger. */
export const WAYS = [
  "new Logger('Orders')",
  'new Logger()',
  'static Logger',
  'the logger itself',
  'a logger with a context of its own',
] as const;

export type Way = (typeof WAYS)[number];

export type CallTarget = Readonly<Record<Way, LoggerService>>;

/** Something that logs. It may be asynchronous, as an application that boots or shuts down is. */
export interface Call {
  readonly name: string;
  run(target: CallTarget): void | Promise<void>;
}

/** Arguments, by what they are. */
export const SHAPES: Readonly<Record<string, readonly unknown[]>> = {
  'no argument': [],
  'a text': ['m'],
  'an empty text': [''],
  undefined: [undefined],
  null: [null],
  'a number': [42],
  zero: [0],
  NaN: [Number.NaN],
  'a bigint': [10n],
  'a boolean': [false],
  'a symbol': [Symbol('s')],
  'an array': [['a', 1, { b: 2 }]],
  'an object': [{ orderId: 1 }],
  'an object with odd members': [v.withOdd],
  'an object with an error in it': [v.withError],
  'a circular object': [v.circular],
  'a class instance': [v.order],
  'an instance with toJSON': [v.payment],
  'a date': [v.date],
  'a map': [v.map],
  'a set': [v.set],
  'a stack alone': [v.stack],
  'a lazy text': [v.lazyText],
  'a lazy object': [v.lazyObject],
  'a lazy lazy text': [v.lazyLazy],
  'a lazy error': [v.lazyError],
  'a lazy class': [v.lazyClass],
  'a lazy undefined': [v.lazyUndefined],
  'a declared function': [v.declaredLazy],
  'a class': [v.Order],
  'an error': [v.error],
  'an error with a code': [v.withCode],
  'an error of a class with a cause': [v.declined],
  'an error of a class that sets no name': [v.unnamedClass],
  'an aggregate error': [v.aggregate],
  'an error without a message': [v.emptyError],
  'an error with a text as cause': [v.textCause],
  'an error with null as cause': [v.nullCause],
  'an error with an object as cause': [v.objectCause],
  'an error that is its own cause': [v.selfCause],
  'an error without a stack': [v.withoutStack],
  'an error with a deep cause': [v.deepCause],
  'an error of another realm': [v.foreignError],
  'an error and a context': [v.error, 'Ctx'],
  'an error and undefined': [v.error, undefined],
  'an error and its stack': [v.error, v.stack],
  'an error, its stack and a context': [v.error, v.stack, 'Ctx'],
  'an error, a context and its stack': [v.error, 'Ctx', v.stack],
  'an error and an object': [v.declined, { orderId: 1 }],
  'an error, a text and a context': [v.error, 'while paying', 'Ctx'],
  'an error of another realm and one of this': [v.foreignError, v.error],
  'two errors': [v.error, v.declined],
  'a text and an error': ['m', v.error],
  'a text, an error and a context': ['m', v.error, 'Ctx'],
  'a text, an error and its stack': ['m', v.error, v.stack],
  'a text, an error, its stack and a context': ['m', v.error, v.stack, 'Ctx'],
  'a text, an object and an error': ['m', { orderId: 1 }, v.error],
  'a text, an error and an object': ['m', v.error, { orderId: 1 }],
  'a text and two errors': ['m', v.error, v.declined, 'Ctx'],
  'a text and an error of another realm': ['m', v.foreignError, 'Ctx'],
  'an object and an error': [{ orderId: 1 }, v.error],
  'undefined and an error': [undefined, v.error],
  'a text and a lazy error': ['m', v.lazyError, 'Ctx'],
  'a text and a context': ['m', 'Ctx'],
  'a text and an empty context': ['m', ''],
  'a text and undefined': ['m', undefined],
  'a text and null': ['m', null],
  'a text, undefined and a context': ['m', undefined, 'Ctx'],
  'a text, null and a context': ['m', null, 'Ctx'],
  'a text and two undefined': ['m', undefined, undefined],
  'a text, a context and undefined': ['m', 'Ctx', undefined],
  'a text, a context and null': ['m', 'Ctx', null],
  'a text and a stack': ['m', v.stack],
  'a text, a stack and a context': ['m', v.stack, 'Ctx'],
  'a text, a context and a stack': ['m', 'Ctx', v.stack],
  'a text and two stacks': ['m', v.stack, v.stack],
  'a text, an object and a stack': ['m', { orderId: 1 }, v.stack],
  'a text, an object, a stack and a context': ['m', { orderId: 1 }, v.stack, 'Ctx'],
  'a text, an object, a context and a stack': ['m', { orderId: 1 }, 'Ctx', v.stack],
  'a text and a stack without a first line': ['m', v.emptyMessageStack],
  'a text and a stack of a message of two lines': ['m', v.multilineStack],
  'a text and a stack indented by a tab': ['m', v.tabbedStack],
  'a text and what is almost a stack': ['m', v.almostStack],
  'a text, undefined and a stack': ['m', undefined, v.stack],
  'a text, an empty text and a context': ['m', '', 'Ctx'],
  'three texts': ['m', 'second', 'Ctx'],
  'four texts': ['m', 'second', 'third', 'Ctx'],
  'a text between other values': ['m', 'middle', 5],
  'a text between objects': ['m', { a: 1 }, 'middle', { b: 2 }],
  'a text, a text and an object': ['m', 'second', { a: 1 }],
  'a text and an object': ['m', { orderId: 1 }],
  'a text, an object and a context': ['m', { orderId: 1 }, 'Ctx'],
  'a text, an object and an empty context': ['m', { orderId: 1 }, ''],
  'a text and an empty object': ['m', {}, 'Ctx'],
  'a text and an object with odd members': ['m', v.withOdd, 'Ctx'],
  'a text and an object with functions': ['m', v.withFunctions, 'Ctx'],
  'a text and an object with an error': ['m', v.withError, 'Ctx'],
  'a text and an object with names of the framework': ['m', v.withReserved, 'Ctx'],
  'a text and an object with a getter': ['m', v.getter, 'Ctx'],
  'a text and a circular object': ['m', v.circular, 'Ctx'],
  'a text and an object without a prototype': ['m', v.withoutPrototype, 'Ctx'],
  'a text and an object with another prototype': ['m', v.derivedObject, 'Ctx'],
  'a text and an object of another realm': ['m', v.foreignObject, 'Ctx'],
  'a text and an object with an error far inside': ['m', v.withDeepError, 'Ctx'],
  'a list of errors': [v.listOfErrors],
  'a text and a list of errors': ['m', v.listOfErrors],
  'a text, an object with an error and another error': ['m', v.withError, v.typeError],
  'a text, an object with an error and a stack': ['m', v.withError, v.stack, 'Ctx'],
  'a regular expression': [v.regexp],
  'a URL': [v.url],
  'a text and a URL': ['m', v.url, 'Ctx'],
  'a text and two objects': ['m', { a: 1 }, { b: 2 }, 'Ctx'],
  'a text and objects that share a key': ['m', { a: 1, b: 1 }, { a: 2, c: undefined }, { b: undefined }],
  'a text and a getter among objects': ['m', { a: 1 }, v.getter],
  'a text, an object and undefined': ['m', { orderId: 1 }, undefined],
  'a text, an object, undefined and a context': ['m', { orderId: 1 }, undefined, 'Ctx'],
  'two objects': [{ a: 1 }, { b: 2 }],
  'two objects and a context': [{ a: 1 }, { b: 2 }, 'Ctx'],
  'a text and an array': ['m', [1, 2], 'Ctx'],
  'a text and a class instance': ['m', v.order, 'Ctx'],
  'a text and a date': ['m', v.date, 'Ctx'],
  'a text and a map': ['m', v.map, 'Ctx'],
  'a text and a number': ['m', 5],
  'a text, a number and a context': ['m', 5, 'Ctx'],
  'a text, a boolean and a context': ['m', true, 'Ctx'],
  'a text, a symbol and a context': ['m', Symbol('s'), 'Ctx'],
  'a text, a bigint and a context': ['m', 10n, 'Ctx'],
  'a text and a lazy text': ['m', v.lazyText],
  'a text, a lazy object and a context': ['m', v.lazyObject, 'Ctx'],
  'a text and a class': ['m', v.Order, 'Ctx'],
  'a lazy text and a context': [v.lazyText, 'Ctx'],
  'a lazy text, an object and a context': [v.lazyText, { orderId: 1 }, 'Ctx'],
  'a lazy text and a stack': [v.lazyText, v.stack],
  'undefined and a context': [undefined, 'Ctx'],
  'a little of everything': ['m', { a: 1 }, [1], v.order, v.error, 7, { b: 2 }, v.typeError, v.stack, 'Ctx'],
};

const LEVELS_WITH_RULES = ['log', 'error', 'fatal'] as const;

/** These share the rules of `log`; one way of calling is enough to see that they do. */
const OTHER_LEVELS = ['warn', 'debug', 'verbose'] as const;

/** Calls that are alike but for the level and the way: one promise of the suite. */
export interface CallGroup {
  readonly name: string;
  readonly calls: readonly Call[];
}

export function callWith(args: readonly unknown[], level: Level, way: Way): Call {
  return {
    name: `${level} of ${way}`,
    run: (target) => {
      target[way][level]?.(...(args as [unknown, ...unknown[]]));
    },
  };
}

const SHAPE_GROUPS: readonly CallGroup[] = Object.entries(SHAPES).map(([name, args]) => ({
  name,
  calls: [
    ...LEVELS_WITH_RULES.flatMap((level) => WAYS.map((way) => callWith(args, level, way))),
    ...OTHER_LEVELS.map((level) => callWith(args, level, "new Logger('Orders')")),
  ],
}));

const SEQUENCES: CallGroup = {
  name: 'several calls in a row',
  calls: [
    {
      name: 'one call on each logger of an application',
      run: (target) => {
        for (const way of WAYS) target[way].log(way, { way });
      },
    },
    {
      name: 'the same object at every level',
      run: (target) => {
        for (const level of [...LEVELS_WITH_RULES, ...OTHER_LEVELS]) {
          target["new Logger('Orders')"][level]?.('m', v.withError);
        }
      },
    },
  ],
};

const NESTED_CALL: CallGroup = {
  name: 'a call from within a lazy message',
  calls: [
    {
      name: 'a warning before the message is made',
      run: (target) => {
        const logger = target["new Logger('Orders')"];
        logger.log(() => {
          logger.warn('inner', { n: 1 });
          return 'outer';
        });
      },
    },
  ],
};

/** All calls that applications make; those that Nest makes itself are in internals.ts. */
export const CALL_GROUPS: readonly CallGroup[] = [...SHAPE_GROUPS, SEQUENCES, NESTED_CALL];
