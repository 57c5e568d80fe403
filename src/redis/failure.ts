import { describeError } from '../diagnostics.js';
import { type Failure, NODE, UNSENT } from '../pipeline/ports.js';

export { NODE, UNSENT };

/** Server errors that somebody must mend: trying harder does not help, so we probe now and then. */
const CIRCUIT = new Set(['NOAUTH', 'WRONGPASS', 'NOPERM', 'WRONGTYPE', 'CROSSSLOT', 'DENIED']);

/** Server errors that end by themselves, and that say for certain that nothing was written. */
const TRANSIENT = new Set([
  'LOADING',
  'MASTERDOWN',
  'BUSY',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'NOREPLICAS',
  'OOM',
  'MISCONF',
  'READONLY',
  'NOSCRIPT',
  'MOVED',
  'ASK',
]);

/** Redis 6.2 to 7.4 word this differently; the command's name stands in quotes in all of them. */
const SCRIPT_REFUSED = /'(eval|evalsha)(\|[a-z]+)?'/i;

/** What Redis 6.2 puts before the error of a command that a script calls, and a minus sign before its first word. */
const IN_SCRIPT =
  /^(?:ERR Error running script .*?: )?(?:@user_script: ?\d+: )*-?(?=[A-Z]{2,} |The user executing the script )/;

/** What Redis 6.2 to 7.0, and 7.2 and later, say without the word NOPERM of what the user may not do in a script. */
const DENIED_IN_SCRIPT = /^(ERR )?(The user executing the script can't |ACL failure in script: )/;

/**
 * What proxies say when the server behind them is away, which is nothing against what was sent: Envoy writes small
 * letters, Twemproxy what the system said.
 */
const OF_A_PROXY =
  /^([a-z]|ERR (Connection (refused|timed out|reset|aborted)|Operation timed out|Host is |Network is |No route ))/;

/** Redis ends the connection after this one: it cannot tell where the next command begins. */
const TOO_LARGE = /^ERR Protocol error: invalid (multi)?bulk length/;
const TOO_LARGE_TEXT =
  'a record is larger than the server takes; raise proto-max-bulk-len there, or log less in one record';

/** What is said of the very command that brings a record, and of no other. */
const OF_THE_RECORD =
  /^ERR (wrong number of arguments|syntax error|Invalid stream ID|string exceeds maximum allowed size|value is |invalid )/i;

/** Of Redis 6.2 to 7.4, in and outside of scripts: too old a server, or one whose commands were renamed. */
const UNKNOWN_COMMAND = /(^|ERR |: ?-?)unknown (redis )?command/i;
const UNKNOWN_COMMAND_TEXT =
  'the server does not know a command that records are written with (Redis 6.2 or later has them, unless renamed)';

export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** What an error of a command means for the records that were sent with it. */
export function failureOf(error: unknown): Failure {
  if (isReplyError(error)) return failureOfReply(error.message);
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const unsent = code === UNSENT || (error instanceof Error && error.message.includes('enableOfflineQueue'));
  const failure: Failure = {
    kind: 'retry',
    token: unsent ? UNSENT : (code ?? (error instanceof Error ? error.name : 'Error')),
    text: describeError(error),
    persisted: unsent ? 'no' : 'possibly',
  };
  return isHangUp(error, code) ? { ...failure, refusal: 'hung-up' } : failure;
}

/** The other side ended the connection. A silence is none, nor is an end that we made ourselves. */
function isHangUp(error: unknown, code: string | undefined): boolean {
  if (code !== undefined) return code === 'ECONNRESET' || code === 'EPIPE';
  return error instanceof Error && error.message === 'Connection is closed.';
}

/** The same for the text of a server's error; only its first word is trusted, since wordings differ. */
export function failureOfReply(text: string): Failure {
  const inner = text.replace(IN_SCRIPT, '');
  return failureOfMessage(DENIED_IN_SCRIPT.test(inner) ? `NOPERM ${inner}` : inner);
}

function failureOfMessage(message: string): Failure {
  const token = message.split(' ', 1)[0] ?? '';
  const text = describeError(Object.assign(new Error(message), { name: 'ReplyError' }));
  const noScripts = (token === 'NOPERM' || /unknown command/i.test(message)) && SCRIPT_REFUSED.test(message);
  if (noScripts) return { kind: 'no-scripts', token, text, persisted: 'no' };
  if (UNKNOWN_COMMAND.test(message)) {
    return { kind: 'circuit', token: 'UNKNOWN', text: UNKNOWN_COMMAND_TEXT, persisted: 'no' };
  }
  if (CIRCUIT.has(token)) return { kind: 'circuit', token, text, persisted: 'no' };
  if (TRANSIENT.has(token)) return { kind: 'retry', token, text, persisted: 'no' };
  if (OF_A_PROXY.test(message)) return { kind: 'retry', token: 'PROXY', text, persisted: 'possibly' };
  if (TOO_LARGE.test(message)) {
    return { kind: 'retry', token: 'PROTOCOL', text: TOO_LARGE_TEXT, persisted: 'no', refusal: 'answered' };
  }
  return { kind: 'retry', token, text, persisted: 'possibly', refusal: 'answered' };
}

/** The same where it is one node of a Cluster that is not to be reached: other streams go on. */
export function failureOfNode(failure: Failure): Failure {
  return { ...failure, token: NODE, text: `its node of the Cluster does not answer (${failure.text})` };
}

/** An error of one append inside a script: of the server's state, or of this very record? */
export function failureOfAppend(message: string): Failure {
  const failure = failureOfReply(message);
  return failure.refusal === 'answered' ? { ...failure, kind: 'record', persisted: 'no' } : failure;
}

/**
 * The same of an append that was sent by itself, where a proxy or a quota may be what refuses it: only where it is known
 * to be the record does the failure say so.
 */
export function failureOfPlainAppend(message: string): Failure {
  const failure = failureOfAppend(message);
  const isKnown = failure.token === 'PROTOCOL' || OF_THE_RECORD.test(message);
  return failure.kind === 'record' && !isKnown ? { ...failure, kind: 'retry' } : failure;
}
