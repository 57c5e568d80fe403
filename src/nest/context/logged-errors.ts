import type { Scope } from './scope.js';

/** Errors whose stack a record has already: whoever reports the failure of a request or a task need not repeat it. */
const logged = new WeakSet<object>();

export function noteLoggedError(error: unknown, scope: Scope | undefined): void {
  if (typeof error === 'object' && error !== null) logged.add(error);
  if (scope !== undefined) scope.root.loggedError = error;
}

export function wasLogged(error: unknown): boolean {
  return typeof error === 'object' && error !== null && logged.has(error);
}
