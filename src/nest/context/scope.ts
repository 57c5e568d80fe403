import { AsyncLocalStorage } from 'node:async_hooks';
import { processWide } from '../../process-wide.js';
import type { Attributes } from '../../record/log-record.js';
import { mergeParams } from '../logger/call-values.js';

/** What all runs within one outermost run share. */
export interface ScopeRoot {
  /** Moves with every change, so that nobody has to compare attributes. */
  version: number;
  /** The last error that was logged, of a request the best guess at why it failed. */
  loggedError: unknown;
  /** What was thrown, where somebody has seen it. */
  thrown: unknown;
}

/** One `RedisLogContext.run()`. */
export interface Scope {
  readonly root: ScopeRoot;
  readonly parent: Scope | undefined;
  /** What this run was given and assigned; below it the parents' attributes show through. */
  readonly own: Attributes;
  /** What a maker of records made of all that, for as long as nothing changes. */
  prepared: PreparedAttributes | undefined;
  /** Errors that were logged in this run or in one inside it. */
  logged: WeakSet<object> | undefined;
}

export interface PreparedAttributes {
  readonly by: object;
  readonly version: number;
  /** Undefined where there are none. */
  readonly attributes: Attributes | undefined;
}

interface Holder {
  readonly storage: AsyncLocalStorage<Scope>;
  /** False until the first run: who never uses the context pays for no look-up. */
  isUsed: boolean;
}

/** One per process, also where the package is loaded twice. */
const holder = processWide('context', (): Holder => ({
  storage: new AsyncLocalStorage<Scope>(),
  isUsed: false,
}));

export function currentScope(): Scope | undefined {
  return holder.isUsed ? holder.storage.getStore() : undefined;
}

/** A scope below the current one. Takes a copy; a getter that throws costs only its own value. */
export function scopeWith(attributes: object): Scope {
  const own = Object.create(null) as Attributes;
  mergeParams(own, attributes as Attributes);
  return scopeOf(own);
}

/** The same, with attributes that belong to nobody else. */
export function scopeOf(own: Attributes): Scope {
  const parent = currentScope();
  const root = parent?.root ?? { version: 0, loggedError: undefined, thrown: undefined };
  return { root, parent, own, prepared: undefined, logged: undefined };
}

export function runIn<T>(scope: Scope, work: () => T): T {
  holder.isUsed = true;
  return holder.storage.run(scope, work);
}

export function assignTo(scope: Scope, attributes: object): void {
  mergeParams(scope.own, attributes as Attributes);
  scope.root.version++;
}

/** The attributes of a scope and of all around it, the inner ones winning. Not to be changed. */
export function attributesOf(scope: Scope): Attributes {
  return scope.parent === undefined ? scope.own : { ...attributesOf(scope.parent), ...scope.own };
}
