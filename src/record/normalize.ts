import { types } from 'node:util';
import type { Attributes } from './log-record.js';
import { DEFAULT_LIMITS, RecordBudget, type NormalizeLimits } from './normalize-budget.js';
import { isErrorLike, MAX_CAUSES, readError } from './normalize-error.js';
import { BIGINT_MARK, bigintText, functionMark, handleMark, isCut, leafOf } from './normalize-leaf.js';
import { CIRCULAR_MARK, DEPTH_MARK, MORE_KEY, moreMark, readSafely, threwMark } from './normalize-text.js';
import { defineEntry, hasStringKeys, isPlain, isRecord, takeFrom, toJson } from './normalize-shape.js';

export { DEFAULT_LIMITS, type NormalizeLimits } from './normalize-budget.js';

/** What an attribute is called that came without a name. */
const UNNAMED = 'value';

/**
 * Turns whatever a log call is given into values of the OpenTelemetry data model: strings, numbers, booleans,
 * null, arrays and objects of these. The result is a copy that shares nothing with its source, is free of
 * cycles and lone surrogates, and is bounded in depth, breadth and bytes.
 *
 * It never throws: what throws when it is read (a getter, a proxy, `toJSON`) becomes `[Threw: TypeError]`, and
 * what is beside it is kept. One is made per logger and used for all its records: call {@link begin} before
 * each. A getter that logs in turn does no harm, but shares the counters.
 */
export class Normalizer {
  readonly #limits: NormalizeLimits;
  readonly #budget: RecordBudget;
  /** The containers around the value at hand, by depth. Cleared on the way out: they are the caller's objects. */
  readonly #ancestors: (object | undefined)[] = [];
  #errorDepth = 0;
  #droppedAttributes = 0;

  /** @param limits those that differ from {@link DEFAULT_LIMITS}. */
  constructor(limits: Partial<NormalizeLimits> = {}) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#budget = new RecordBudget(this.#limits);
  }

  /** Attributes left out since {@link begin}, for lack of room. */
  get droppedAttributes(): number {
    return this.#droppedAttributes;
  }

  /** What was cut since {@link begin}: strings, keys, binary values, containers that were too deep or too wide. */
  get truncations(): number {
    return this.#budget.truncations;
  }

  /** Starts a new record: the byte budget is full, the counters are zero. */
  begin(): void {
    this.#budget.reset();
    this.#errorDepth = 0;
    this.#droppedAttributes = 0;
  }

  /** A copy of one value. `undefined` only for `undefined`, and for what says so of itself (`toJSON`). */
  value(value: unknown): unknown {
    try {
      return this.#value(value, 0);
    } catch (error) {
      return threwMark(error);
    }
  }

  /**
   * Copies the own enumerable properties of an object, or the entries of a Map with string keys, into `target`.
   * What has no named parts (an array, a Set, a Date) becomes the attribute `value`; null and undefined add
   * nothing. A name that `target` has already is overwritten. What is beyond the limit of attributes, or beyond
   * the bytes of the record, is counted in {@link droppedAttributes}.
   */
  attributes(source: object, target: Attributes): void {
    try {
      this.#ancestors[0] = source;
      this.#droppedAttributes += this.#spread(source, target);
    } catch (error) {
      this.attribute(UNNAMED, threwMark(error), target);
    } finally {
      this.#ancestors[0] = undefined;
    }
  }

  /** Copies one value into `target`, under the same limits as {@link attributes}. */
  attribute(name: string, value: unknown, target: Attributes): void {
    if (this.#room(target) > 0) this.#assign(target, name, this.value(value));
    else this.#droppedAttributes++;
  }

  /** Counts what a caller of this class left out. */
  noteCut(count: number): void {
    this.#budget.noteCut(count);
  }

  #value(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return this.#budget.text(value);
      case 'number':
      case 'boolean':
        this.#budget.scalar(0);
        return value;
      case 'bigint':
        return this.#bigint(value);
      case 'symbol':
        return this.#budget.text(String(value));
      case 'object':
        return value === null ? null : this.#object(value, depth);
      case 'function':
        return this.#object(value, depth);
      case 'undefined':
      default:
        return undefined;
    }
  }

  #bigint(value: bigint): string {
    const text = bigintText(value);
    if (text === BIGINT_MARK) this.#budget.noteCut(1);
    return this.#budget.text(text);
  }

  /** All that runs the caller's code is inside this `try`, or in a smaller one around a single property. */
  #object(value: object, depth: number): unknown {
    try {
      if (typeof value === 'function') return this.#budget.text(functionMark(value));
      for (let index = 0; index < depth; index++) {
        if (this.#ancestors[index] === value) return CIRCULAR_MARK;
      }
      this.#ancestors[depth] = value;
      if (Array.isArray(value)) return this.#list(value, value.length, depth);
      return isPlain(value) ? this.#selfDescribed(value, depth) : this.#special(value, depth);
    } catch (error) {
      return this.#budget.text(threwMark(error));
    } finally {
      this.#ancestors[depth] = undefined;
    }
  }

  #special(value: object, depth: number): unknown {
    if (isErrorLike(value)) return this.#error(value, depth);
    if (types.isMap(value)) return this.#map(value, depth);
    if (types.isSet(value)) {
      const items = takeFrom(Set.prototype.values.call(value), this.#limits.maxEntries);
      return this.#list(items, value.size, depth);
    }
    const leaf = leafOf(value);
    if (leaf === undefined) return this.#selfDescribed(value, depth);
    if (typeof leaf !== 'object') return this.#value(leaf, depth);
    if (isCut(leaf)) this.#budget.noteCut(1);
    this.#budget.scalar(leaf.base64.length + leaf.type.length);
    return leaf;
  }

  /** An object that says with `toJSON` what to write of it, or else its own enumerable properties. */
  #selfDescribed(value: object, depth: number): unknown {
    if (depth >= this.#limits.maxDepth) return this.#tooDeep();
    const json = toJson(value);
    if (json !== value) return this.#value(json, depth + 1);
    const mark = isPlain(value) ? undefined : handleMark(value);
    if (mark !== undefined) return this.#budget.text(mark);
    const target: Attributes = {};
    this.#noteMore(target, this.#copyEntries(value, target, depth + 1));
    return target;
  }

  #list(items: readonly unknown[], size: number, depth: number): unknown {
    if (depth >= this.#limits.maxDepth) return this.#tooDeep();
    this.#budget.scalar(0);
    const result: unknown[] = [];
    const end = Math.min(size, this.#limits.maxEntries);
    let index = 0;
    for (; index < end && !this.#budget.isSpent; index++) {
      result.push(this.#value(readSafely(items, index), depth + 1) ?? null);
      this.#budget.scalar(0);
    }
    if (index < size) {
      this.#budget.noteCut(1);
      result.push(`${MORE_KEY} ${moreMark(size - index)}`);
    }
    return result;
  }

  #map(map: Map<unknown, unknown>, depth: number): unknown {
    const entries = takeFrom(Map.prototype.entries.call(map), this.#limits.maxEntries);
    if (!hasStringKeys(entries)) return this.#list(entries, map.size, depth);
    if (depth >= this.#limits.maxDepth) return this.#tooDeep();
    const target: Attributes = {};
    this.#noteMore(target, map.size - this.#copyPairs(entries, target, depth + 1));
    return target;
  }

  #error(error: object, depth: number): unknown {
    if (this.#errorDepth > MAX_CAUSES || depth >= this.#limits.maxDepth) return this.#tooDeep();
    this.#errorDepth++;
    try {
      const parts = readError(error);
      const target: Attributes = {};
      const { type, message, stack, code, cause, errors } = parts;
      this.#copyEntries({ type, message, stack, code, cause, errors }, target, depth + 1);
      const copied = this.#copyPairs(parts.own, target, depth + 1);
      this.#noteMore(target, parts.own.length - copied + parts.ownLeftOut);
      return target;
    } finally {
      this.#errorDepth--;
    }
  }

  #spread(source: unknown, target: Attributes): number {
    const named = isRecord(source) ? toJson(source) : source;
    if (types.isMap(named)) {
      const entries = takeFrom(Map.prototype.entries.call(named), this.#limits.maxEntries);
      if (hasStringKeys(entries)) return named.size - this.#copyPairs(entries, target, 1);
    } else if (isRecord(named) && (isPlain(named) || handleMark(named) === undefined)) {
      return this.#copyEntries(named, target, 1);
    }
    return this.#spreadUnnamed(named, target);
  }

  #spreadUnnamed(source: unknown, target: Attributes): number {
    this.#ancestors[0] = undefined;
    const copy = this.#value(source, 0);
    if (copy === undefined || copy === null) return 0;
    if (typeof copy === 'object' && !Array.isArray(copy)) return this.#copyEntries(copy, target, 1);
    this.attribute(UNNAMED, copy, target);
    return 0;
  }

  /** Copies own enumerable properties as long as there is room; returns how many are left out. */
  #copyEntries(source: object, target: Attributes, depth: number): number {
    this.#budget.scalar(0);
    let room = this.#room(target);
    let leftOut = 0;
    for (const key in source) {
      if (!Object.hasOwn(source, key)) continue;
      if (room <= 0 || this.#budget.isSpent) {
        leftOut++;
        continue;
      }
      room--;
      this.#assign(target, key, this.#value(readSafely(source, key), depth));
    }
    return leftOut;
  }

  /** The same for pairs of name and value; returns how many it looked at. */
  #copyPairs(pairs: readonly (readonly [string, unknown])[], target: Attributes, depth: number): number {
    const end = Math.min(pairs.length, this.#room(target));
    let index = 0;
    for (; index < end && !this.#budget.isSpent; index++) {
      const [key, value] = pairs[index] as readonly [string, unknown];
      this.#assign(target, key, this.#value(value, depth));
    }
    return index;
  }

  #assign(target: Attributes, key: string, value: unknown): void {
    if (value !== undefined) defineEntry(target, this.#budget.key(key), value);
  }

  #room(target: Attributes): number {
    let room = this.#limits.maxEntries;
    for (const key in target) if (Object.hasOwn(target, key)) room--;
    return room;
  }

  #noteMore(target: Attributes, leftOut: number): void {
    if (leftOut === 0) return;
    this.#budget.noteCut(1);
    target[MORE_KEY] = moreMark(leftOut);
  }

  #tooDeep(): string {
    this.#budget.noteCut(1);
    return DEPTH_MARK;
  }
}
