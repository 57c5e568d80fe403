import { isDeepStrictEqual } from 'node:util';
import type { LogRecord } from '../record/log-record.js';
import type { Level } from '../record/severity.js';
import { collected, type CollectedRecord } from './collected-record.js';

type Test = (record: CollectedRecord) => boolean;

/**
 * What an application under test has logged, or a part of it. Queries can be chained, and are live: they see what is
 * logged after they were made.
 *
 * @example
 * expect(logs.at('error').inContext('OrdersService').withMessage(/declined/).count).toBe(1);
 * expect(logs.withAttributes({ orderId: 7 }).first?.message).toBe('Order placed');
 */
export class CollectedLogs implements Iterable<CollectedRecord> {
  readonly #records: CollectedRecord[];
  readonly #tests: readonly Test[];

  /** @internal `provideRedisLogTesting` and `createTestingLogger` make the first one, queries the others. */
  constructor(records: CollectedRecord[] = [], tests: readonly Test[] = []) {
    this.#records = records;
    this.#tests = tests;
  }

  /** The records so far, the oldest first. */
  get all(): readonly CollectedRecord[] {
    return this.#records.filter((record) => this.#tests.every((test) => test(record)));
  }

  get count(): number {
    return this.all.length;
  }

  get first(): CollectedRecord | undefined {
    return this.all[0];
  }

  get last(): CollectedRecord | undefined {
    return this.all.at(-1);
  }

  /** The messages, as a list to compare with. */
  get messages(): readonly unknown[] {
    return this.all.map(({ message }) => message);
  }

  /** Those of one level, and no others. */
  at(level: Level): CollectedLogs {
    return this.#where((record) => record.level === level);
  }

  /** Those of one Nest context, which usually is the name of a class. */
  inContext(context: string): CollectedLogs {
    return this.#where((record) => record.context === context);
  }

  /** Those whose message is this text, or a text that the expression matches. */
  withMessage(message: string | RegExp): CollectedLogs {
    if (typeof message === 'string') return this.#where((record) => record.message === message);
    // `search` starts at the beginning each time; `test` of an expression with the flag `g` does not.
    return this.#where((record) => typeof record.message === 'string' && record.message.search(message) >= 0);
  }

  /**
   * Those that have at least these attributes. Objects are compared in part, at any depth; everything else, lists
   * included, has to be equal.
   */
  withAttributes(attributes: Readonly<Record<string, unknown>>): CollectedLogs {
    return this.#where(({ record }) => includes(record.attributes, attributes));
  }

  /** Forgets all records, also those that this query leaves out. */
  clear(): void {
    this.#records.length = 0;
  }

  [Symbol.iterator](): Iterator<CollectedRecord> {
    return this.all[Symbol.iterator]();
  }

  /** @internal */
  add(record: LogRecord): void {
    this.#records.push(collected(record));
  }

  #where(test: Test): CollectedLogs {
    return new CollectedLogs(this.#records, [...this.#tests, test]);
  }
}

function includes(actual: unknown, expected: unknown): boolean {
  if (!isObject(expected) || !isObject(actual)) return isDeepStrictEqual(actual, expected);
  return Object.entries(expected).every(([name, value]) => includes(actual[name], value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
