import { isDeepStrictEqual } from 'node:util';
import type { LogRecord } from '../record/log-record.js';
import type { Level } from '../record/severity.js';
import { collected, type CollectedRecord } from './collected-record.js';
import { shown } from './describe-record.js';
import { type Condition, type WrongCount, wrongCount } from './expectation.js';
import { noteForTest } from './current-test.js';

/**
 * What an application under test has logged, or a part of it. Queries can be chained, and are live: they see what is
 * logged after they were made. `exactly`, `atLeast` and `none` are assertions, in any test runner.
 *
 * @example
 * logs.at('error').inContext('OrdersService').withMessage(/declined/).exactly(1);
 * expect(logs.withAttributes({ orderId: 7 }).first?.message).toBe('Order placed');
 */
export class CollectedLogs implements Iterable<CollectedRecord> {
  readonly #records: CollectedRecord[];
  readonly #conditions: readonly Condition[];

  /** @internal `provideRedisLogTesting` and `createTestingLogger` make the first one, queries the others. */
  constructor(records: CollectedRecord[] = [], conditions: readonly Condition[] = []) {
    this.#records = records;
    this.#conditions = conditions;
  }

  /** The records so far, the oldest first. */
  get all(): readonly CollectedRecord[] {
    return this.#records.filter((record) => this.#conditions.every(({ test }) => test(record)));
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
    return this.#where(`at ${level}`, (record) => record.level === level);
  }

  /** Those of one Nest context, which usually is the name of a class. */
  inContext(context: string): CollectedLogs {
    return this.#where(`in context ${context}`, (record) => record.context === context);
  }

  /** Those whose message is this text, or a text that the expression matches. */
  withMessage(message: string | RegExp): CollectedLogs {
    const name = `with message ${shown(message)}`;
    if (typeof message === 'string') return this.#where(name, (record) => record.message === message);
    // `search` starts at the beginning each time; `test` of an expression with the flag `g` does not.
    return this.#where(name, ({ message: text }) => typeof text === 'string' && text.search(message) >= 0);
  }

  /**
   * Those that have at least these attributes. Objects are compared in part, at any depth; everything else, lists
   * included, has to be equal.
   */
  withAttributes(attributes: Readonly<Record<string, unknown>>): CollectedLogs {
    const name = `with attributes ${shown(attributes)}`;
    return this.#where(name, ({ record }) => includes(record.attributes, attributes));
  }

  /**
   * Asserts that there are so many records, and returns them.
   *
   * @throws An error with the records that come nearest, and what is different about them
   */
  exactly(count: number): readonly CollectedRecord[] {
    return this.#expect(`exactly ${count}`, (found) => found === count, this.exactly);
  }

  /** Asserts that there are so many records or more, and returns them; see `exactly`. */
  atLeast(count: number): readonly CollectedRecord[] {
    return this.#expect(`at least ${count}`, (found) => found >= count, this.atLeast);
  }

  /** Asserts that there is no such record; see `exactly`. */
  none(): void {
    this.#expect('no', (found) => found === 0, this.none);
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
    const added = collected(record);
    this.#records.push(added);
    noteForTest(added);
  }

  #where(name: string, test: Condition['test']): CollectedLogs {
    return new CollectedLogs(this.#records, [...this.#conditions, { name, test }]);
  }

  #expect(
    wanted: string,
    isRight: (found: number) => boolean,
    assertion: WrongCount['assertion'],
  ): readonly CollectedRecord[] {
    const found = this.all;
    if (isRight(found.length)) return found;
    throw wrongCount({ wanted, found, records: this.#records, conditions: this.#conditions, assertion });
  }
}

function includes(actual: unknown, expected: unknown): boolean {
  if (!isObject(expected) || !isObject(actual)) return isDeepStrictEqual(actual, expected);
  return Object.entries(expected).every(([name, value]) => includes(actual[name], value));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
