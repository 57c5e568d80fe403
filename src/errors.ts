/** Every code an error of this package can carry. Codes are stable; texts are not. */
export type RedisLogErrorCode =
  | 'REDIS_LOG_INVALID_OPTIONS'
  | 'REDIS_LOG_MISSING_PEER'
  | 'REDIS_LOG_MODULE_MISUSED'
  | 'REDIS_LOG_CLOSED'
  | 'REDIS_LOG_MISUSED'
  | 'REDIS_LOG_REFUSED'
  | 'REDIS_LOG_UNSUPPORTED'
  | 'REDIS_LOG_UNAVAILABLE'
  | 'REDIS_LOG_QUERY_SYNTAX'
  | 'REDIS_LOG_MALFORMED';

export interface RedisLogErrorDetails {
  /** The option, environment variable or Redis key that the error is about. */
  readonly subject?: string | undefined;
  readonly cause?: unknown;
  /** Where in the text of a query the error is, counted in UTF-16 code units from 0. */
  readonly position?: number | undefined;
}

const BRAND = Symbol.for('nestjs-redis-log.error');

/**
 * The one error class of this package. Its message says what is wrong and what to do about it, and never
 * holds a password or a record. Test with {@link isRedisLogError}: a process may hold two copies of a class.
 */
export class RedisLogError extends Error {
  override readonly name = 'RedisLogError';
  readonly code: RedisLogErrorCode;
  readonly subject: string | undefined;
  /** Of `REDIS_LOG_QUERY_SYNTAX`: where in the text the error is, counted from 0. */
  declare readonly position?: number;

  constructor(code: RedisLogErrorCode, message: string, details: RedisLogErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.subject = details.subject;
    if (details.position !== undefined) this.position = details.position;
  }

  get [BRAND](): true {
    return true;
  }
}

export function isRedisLogError(error: unknown): error is RedisLogError {
  return typeof error === 'object' && error !== null && BRAND in error;
}
