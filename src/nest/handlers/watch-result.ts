import { isObservable, Observable } from 'rxjs';

/** What a result is followed with, to its end. */
export interface Watching {
  run<T>(work: () => T): T;
  succeed(): void;
  fail(error: unknown): void;
  cancel(): void;
}

/**
 * Passes on what a task has returned, and tells `watch` when it is over: a promise, of whatever library, when it is
 * settled, an Observable when it completes, fails or is no longer wanted, an async generator when its iteration ends,
 * and all else at once.
 */
export function watchResult<T>(watch: Watching, result: T): T {
  const follow = followerOf(watch, result);
  if (follow !== undefined) return follow() as T;
  watch.succeed();
  return result;
}

/** `undefined` for what is over, and for what throws when it is looked at. */
function followerOf(watch: Watching, result: unknown): (() => unknown) | undefined {
  try {
    if (isThenable(result)) return () => watchThenable(watch, result);
    if (isObservable(result)) return () => watchObservable(watch, () => result);
    if (isAsyncGenerator(result)) return () => watchGenerator(watch, result);
  } catch {
    // A configuration that refuses names it does not know is a result like any other.
  }
  return undefined;
}

/** Its subscription is part of the task; what it says goes on as it comes. */
export function watchObservable(watch: Watching, observable: () => Observable<unknown>): Observable<unknown> {
  return new Observable((subscriber) => {
    subscriber.add(() => watch.cancel());
    const subscription = watch.run(() =>
      observable().subscribe({
        next: (value) => subscriber.next(value),
        error: (error: unknown) => {
          watch.fail(error);
          subscriber.error(error);
        },
        complete: () => {
          watch.succeed();
          subscriber.complete();
        },
      }),
    );
    subscriber.add(subscription);
  });
}

/** A query of a database library may start only now that somebody asks for its result: that is part of the task too. */
function watchThenable(watch: Watching, result: PromiseLike<unknown>): Promise<unknown> {
  const promise = watch.run(() => Promise.resolve(result));
  return promise.then(
    (value: unknown) => {
      watch.succeed();
      return value;
    },
    (error: unknown) => {
      watch.fail(error);
      throw error;
    },
  );
}

/** Its body runs in pieces, with every piece that somebody asks for. */
function watchGenerator(watch: Watching, source: AsyncGenerator): AsyncGenerator {
  const step = async (work: () => Promise<IteratorResult<unknown>>): Promise<IteratorResult<unknown>> => {
    try {
      const result = await watch.run(work);
      if (result.done === true) watch.succeed();
      return result;
    } catch (error) {
      watch.fail(error);
      throw error;
    }
  };
  const watched: AsyncGenerator = {
    next: (...args) => step(() => source.next(...args)),
    return: (value) => step(() => source.return(value)),
    throw: (error) => step(() => source.throw(error)),
    [Symbol.asyncIterator]: () => watched,
    [Symbol.asyncDispose]: async () => {
      await watched.return(undefined);
    },
  };
  return watched;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return has(value, 'then');
}

/** A stream can be iterated as well, but has no `next`: it lives on its own. */
function isAsyncGenerator(value: unknown): value is AsyncGenerator {
  return (
    has(value, Symbol.asyncIterator) && has(value, 'next') && has(value, 'return') && has(value, 'throw')
  );
}

function has(value: unknown, name: PropertyKey): boolean {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return isObject && typeof Reflect.get(value, name) === 'function';
}
