import { describeError } from '../diagnostics.js';
import type { Failure } from '../pipeline/ports.js';

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

export function isReplyError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** What an error of a command means for the records that were sent with it. */
export function failureOf(error: unknown): Failure {
  if (isReplyError(error)) return failureOfReply(error.message);
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const unsent = error instanceof Error && error.message.includes('enableOfflineQueue');
  return {
    kind: 'retry',
    token: unsent ? 'UNSENT' : (code ?? (error instanceof Error ? error.name : 'Error')),
    text: describeError(error),
    persisted: unsent ? 'no' : 'possibly',
  };
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
  if (CIRCUIT.has(token)) return { kind: 'circuit', token, text, persisted: 'no' };
  if (TRANSIENT.has(token)) return { kind: 'retry', token, text, persisted: 'no' };
  return { kind: 'retry', token, text, persisted: 'possibly' };
}

/** An error of one append inside a batch: of the server's state, or of this very record? */
export function failureOfAppend(message: string): Failure {
  const failure = failureOfReply(message);
  return failure.kind === 'retry' && failure.persisted === 'possibly'
    ? { ...failure, kind: 'record', persisted: 'no' }
    : failure;
}
