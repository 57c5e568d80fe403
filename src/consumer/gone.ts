import { isReplyError } from '../redis/failure.js';

/** Whether an error says that the group, or the stream with it, does not exist any more. */
export function isGone(error: unknown): boolean {
  return isReplyError(error) && /^(NOGROUP|UNBLOCKED|ERR no such key)/.test(error.message);
}
