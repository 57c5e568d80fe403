import { inspect, types } from 'node:util';
import { encodeValue } from '../../codec/value.js';
import type { Attributes } from '../../record/log-record.js';
import { Normalizer } from '../../record/normalize.js';
import { withoutArguments } from '../../record/normalize-error.js';
import { readSafely } from '../../record/normalize-text.js';
import type { Redactor } from '../../record/redact.js';
import { isOwnError, isPlainObject } from './call-values.js';
import { hasSymbols, isTransparent } from './transparent.js';

/** As deep as Nest prints the causes of an error. */
const MAX_CAUSES = 5;

/** Wider than those of a record: what is beyond them is not looked at for secrets, and so is not printed either. */
const LIMITS = {
  maxDepth: 64,
  maxEntries: 10_000,
  maxStringBytes: 1_048_576,
  maxKeyBytes: 4_096,
  maxRecordBytes: 4_194_304,
};

/**
 * Hides in the arguments of a call what its record hides. A value stays itself, so that it is printed as the thing that
 * it is, only where all of it was looked at and nothing was hidden; else a copy is printed, as the record has it.
 */
export class ConsoleCleaner {
  readonly #redactor: Redactor;
  readonly #normalizer = new Normalizer(LIMITS);
  /** Errors can refer to each other in circles. */
  readonly #copying = new Set<Error>();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  clean(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return this.#redactor.text(value);
    if (typeof value === 'symbol') return this.#symbol(value);
    if (typeof value !== 'object' || value === null) return value;
    if (isOwnError(value)) return this.#error(value, depth);
    const holder: Attributes = {};
    const isNamed = isPlainObject(value);
    this.#normalizer.begin();
    if (isNamed) this.#normalizer.attributes(value, holder);
    else holder['body'] = this.#normalizer.value(value);
    if (this.#staysItself(value, holder)) return value;
    return isNamed ? holder : holder['body'];
  }

  #symbol(symbol: symbol): unknown {
    const text = String(symbol);
    const clean = this.#redactor.text(text);
    return clean === text ? symbol : clean;
  }

  /** Censors the copy of a value; true when the value itself can be printed. */
  #staysItself(value: unknown, holder: Attributes): boolean {
    const { truncations, droppedAttributes } = this.#normalizer;
    const isWhole = truncations === 0 && droppedAttributes === 0 && isTransparent(value);
    const before = isWhole ? encodeValue(holder) : '';
    this.#redactor.redact(holder);
    return isWhole && encodeValue(holder) === before;
  }

  #error(error: Error, depth: number): unknown {
    if (depth > MAX_CAUSES || this.#copying.has(error)) return '[Cause]';
    this.#copying.add(error);
    try {
      return this.#copied(error, depth);
    } finally {
      this.#copying.delete(error);
    }
  }

  #copied(error: Error, depth: number): unknown {
    const copy: object = Object.create(Object.getPrototypeOf(error) as object);
    let isChanged = types.isProxy(error) || hasSymbols(error);
    for (const key of new Set([...Object.getOwnPropertyNames(error), 'name', 'message'])) {
      const value = readSafely(error, key);
      const clean = this.#property(key, withoutArguments(key, value), depth);
      if (!Object.is(clean, value) || isComputed(error, key)) isChanged = true;
      const enumerable = Object.prototype.propertyIsEnumerable.call(error, key);
      define(copy, key, { value: clean, enumerable });
    }
    for (const key of [inspect.custom, 'toJSON']) {
      if (!(key in error)) continue;
      // Methods that would print the error in their own way.
      isChanged = true;
      define(copy, key, { value: undefined, enumerable: false });
    }
    return isChanged ? copy : error;
  }

  #property(key: string, value: unknown, depth: number): unknown {
    if (isOwnError(value)) return this.#error(value, depth + 1);
    if (Array.isArray(value) && value.some(isOwnError)) {
      const items = value.map((item) => this.clean(item, depth + 1));
      return items.every((item, index) => item === value[index]) ? value : items;
    }
    const holder: Attributes = {};
    this.#normalizer.begin();
    this.#normalizer.attributes({ [key]: value }, holder);
    return this.#staysItself(value, holder) ? value : holder[key];
  }
}

/** Has it a getter? That of `stack` is the engine's own. */
function isComputed(error: Error, key: string): boolean {
  return key !== 'stack' && Object.getOwnPropertyDescriptor(error, key)?.get !== undefined;
}

function define(target: object, key: string | symbol, { value, enumerable }: PropertyDescriptor): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: enumerable === true,
    configurable: true,
    writable: true,
  });
}
