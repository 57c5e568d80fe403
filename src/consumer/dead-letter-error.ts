const BRAND = Symbol.for('nestjs-redis-log.dead-letter');

/**
 * Thrown by a handler that knows that trying again is useless: the record goes to the dead letters at once. Of a batch
 * of several, name those that are meant; the others are handed out again. Without `ids`, each record of the batch is
 * handed out again on its own, and the one on which it is thrown then is meant.
 *
 * @example
 * throw new DeadLetterError('no such customer', { ids: [entry.id], cause: error });
 */
export class DeadLetterError extends Error {
  override readonly name = 'DeadLetterError';
  readonly ids: readonly string[] | undefined;
  readonly [BRAND] = true;

  constructor(message: string, options: { readonly ids?: readonly string[]; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.ids = options.ids;
  }
}

/** A process may hold two copies of the class. */
export function isDeadLetterError(error: unknown): error is DeadLetterError {
  return typeof error === 'object' && error !== null && BRAND in error;
}
