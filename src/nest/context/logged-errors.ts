import type { Scope } from './scope.js';

/** A record that has an error's stack: the run it was written in, and its place among all such records. */
interface LastRecord {
  readonly scope: Scope | undefined;
  readonly number: number;
}

/** The same error may fail many requests, one after the other and at once: each of them has its own record of it. */
const lastRecords = new WeakMap<object, LastRecord>();
let count = 0;

/** A record has the stack of `error`: whoever reports the failure of a request or a task need not repeat it. */
export function noteLoggedError(error: unknown, scope: Scope | undefined): void {
  if (scope !== undefined) scope.root.loggedError = error;
  if (typeof error !== 'object' || error === null) return;
  lastRecords.set(error, { scope, number: ++count });
  for (let run = scope; run !== undefined; run = run.parent) (run.logged ??= new WeakSet()).add(error);
}

/** Has a record of this run, or of one inside it, the stack of `error`? */
export function wasLogged(error: unknown, scope: Scope | undefined): boolean {
  return typeof error === 'object' && error !== null && scope?.logged?.has(error) === true;
}

/** How many errors were logged so far: for `wasLoggedAround`. */
export function loggedErrors(): number {
  return count;
}

/** Has a record from outside this run, though not of a run beside it, the stack of `error` since then? */
export function wasLoggedAround(error: unknown, scope: Scope, since: number): boolean {
  const last = typeof error === 'object' && error !== null ? lastRecords.get(error) : undefined;
  return last !== undefined && last.number > since && isAround(last.scope, scope);
}

function isAround(outer: Scope | undefined, inner: Scope): boolean {
  let run: Scope | undefined = inner;
  while (run !== undefined && run !== outer) run = run.parent;
  return run === outer;
}
