import { RedisLogError } from '../errors.js';

/** The error of an entry, or a value, that breaks the contract. `what` must hold nothing of the record. */
export function malformed(what: string): RedisLogError {
  return new RedisLogError('REDIS_LOG_MALFORMED', what);
}
