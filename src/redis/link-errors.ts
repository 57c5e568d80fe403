import { failureOfReply, isReplyError, UNSENT } from './failure.js';
import type { Socket } from './sockets.js';

/** The code of an error that says that it was us who ended the connection, for the sake of another command. */
export const GIVEN_UP = 'GIVEN_UP';

/** The code of an error of a connection that ended a while ago: there may be a new one by now. */
export const ENDED = 'ENDED';

export function closedError(code: string): Error {
  return Object.assign(new Error('Connection is closed.'), { code });
}

/** Whether there is nothing left to end of the connection that the error came from. */
export function hasEnded(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === ENDED;
}

/** Where commands that failed had been written to, by their errors. */
const sockets = new WeakMap<Error, Socket>();

/** The socket of the command that failed so; undefined where that is not known. */
export function socketOf(error: unknown): Socket | undefined {
  return error instanceof Error ? sockets.get(error) : undefined;
}

/**
 * ioredis says the same of a command that was refused at once, of one that the server cut off, and of one that we cut
 * off ourselves. `command` tells where it was written to, if it can.
 */
export function explained(
  error: unknown,
  command: { readonly writtenTo?: Socket | undefined },
  link: { readonly client: object; readonly isGivenUp: boolean },
): Error {
  if (isReplyError(error)) return error;
  const { writtenTo } = command;
  if ('writtenTo' in command && writtenTo === undefined) return closedError(UNSENT);
  if ('nodes' in link.client && isRedirected(error, writtenTo)) return closedError(UNSENT);
  const told = link.isGivenUp ? closedError(GIVEN_UP) : (error as Error);
  if (writtenTo !== undefined) sockets.set(told, writtenTo);
  return told;
}

/**
 * A node of a Cluster may have answered that the slot is elsewhere, and then the other node was not to be reached: so the
 * command is said to be cut off, while the socket that it was written to is open.
 */
function isRedirected(error: unknown, writtenTo: Socket | undefined): boolean {
  const isClosed = error instanceof Error && error.message === 'Connection is closed.';
  return isClosed && writtenTo?.destroyed === false;
}

export function timeoutError(ms: number): Error {
  return Object.assign(new Error(`No answer within ${ms} ms`), { code: 'ETIMEDOUT' });
}

export function isAuthError(error: unknown): boolean {
  return isReplyError(error) && /^(WRONGPASS|NOAUTH|ERR invalid password|ERR AUTH)/.test(error.message);
}

/** Codes of errors that we make; nothing that Redis or the network said. */
export const OWN_CODES: ReadonlySet<string> = new Set([UNSENT, GIVEN_UP, ENDED]);

const MAX_CAUSES = 4;

/**
 * Why a connection ended, or could not be made, in one word: the first one of Redis (`WRONGPASS`), or the code of the
 * socket (`ECONNREFUSED`). Undefined where nobody said.
 */
export function causeOf(error: unknown): string | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth++) {
    if (isReplyError(current)) return failureOfReply(current.message).token;
    const { code } = current as { code?: unknown };
    if (typeof code === 'string' && !OWN_CODES.has(code)) return code;
    current = innerError(current);
  }
  return undefined;
}

/** Cluster and address errors wrap the one that tells. */
function innerError(error: object): unknown {
  if (error instanceof AggregateError) return error.errors[0];
  return 'lastNodeError' in error ? error.lastNodeError : undefined;
}
