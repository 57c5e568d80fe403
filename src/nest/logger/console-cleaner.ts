import { encodeValue } from '../../codec/value.js';
import type { Attributes } from '../../record/log-record.js';
import { Normalizer } from '../../record/normalize.js';
import { withoutArguments } from '../../record/normalize-error.js';
import { readSafely } from '../../record/normalize-text.js';
import type { Redactor } from '../../record/redact.js';
import { isPlainObject } from './call-values.js';

/** As deep as Nest prints the causes of an error. */
const MAX_CAUSES = 5;

/**
 * Hides in the arguments of a call what its record hides. A value in which there is nothing to hide stays itself, so that
 * it is printed as the thing that it is; else a copy is printed.
 */
export class ConsoleCleaner {
  readonly #redactor: Redactor;
  readonly #normalizer = new Normalizer();

  constructor(redactor: Redactor) {
    this.#redactor = redactor;
  }

  clean(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return this.#redactor.text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (value instanceof Error) return this.#error(value, depth);
    const normalizer = this.#normalizer;
    normalizer.begin();
    const holder: Attributes = {};
    if (isPlainObject(value)) normalizer.attributes(value, holder);
    else holder['body'] = normalizer.value(value);
    if (!this.#censors(holder) && !namesCommand(holder)) return value;
    return isPlainObject(value) ? holder : holder['body'];
  }

  /** True when something in it had to be hidden. */
  #censors(holder: Attributes): boolean {
    const before = encodeValue(holder);
    this.#redactor.redact(holder);
    return encodeValue(holder) !== before;
  }

  #error(error: Error, depth: number): unknown {
    if (depth > MAX_CAUSES) return '[Cause]';
    const copy: object = Object.create(Object.getPrototypeOf(error) as object);
    let isChanged = false;
    for (const key of Object.getOwnPropertyNames(error)) {
      const value = readSafely(error, key);
      const clean = this.#property(key, withoutArguments(key, value), depth);
      if (clean !== value) isChanged = true;
      const enumerable = Object.prototype.propertyIsEnumerable.call(error, key);
      Object.defineProperty(copy, key, { value: clean, enumerable, configurable: true, writable: true });
    }
    return isChanged ? copy : error;
  }

  #property(key: string, value: unknown, depth: number): unknown {
    if (value instanceof Error) return this.#error(value, depth + 1);
    if (Array.isArray(value) && value.some((item) => item instanceof Error)) {
      const items = value.map((item) => this.clean(item, depth + 1));
      return items.every((item, index) => item === value[index]) ? value : items;
    }
    this.#normalizer.begin();
    const holder: Attributes = {};
    this.#normalizer.attributes({ [key]: value }, holder);
    return this.#censors(holder) || namesCommand(holder) ? holder[key] : value;
  }
}

/** True where an error of ioredis is inside: its record has the name of the command, the error itself all arguments. */
function namesCommand(copy: unknown): boolean {
  if (typeof copy !== 'object' || copy === null) return false;
  const { type, command } = copy as Attributes;
  if (typeof type === 'string' && typeof command === 'string') return true;
  return Object.values(copy).some(namesCommand);
}
