import { messageTemplate } from '../../record/message-template.js';
import type { ErrorMessage, ErrorSample, MonitorSample, StreamSample } from '../types.js';
import { visible } from '../visible.js';
import type { AlertFinding, AlertRule } from './types.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Fewer errors than these are no wave of them, whatever their share: a single one at night is half of two records. */
const MIN_ERRORS = 10;
const TIMES_USUAL = 3;
/** So much of a message, and of a service's name, is shown in a sentence. */
const MAX_SHOWN = 200;

/** On streams whose messages are counted (docs/insights.md); of others they say nothing. */
export function errorRules(): AlertRule[] {
  return [
    {
      name: 'ErrorShare',
      severity: 'warn',
      forMs: 2 * MINUTE,
      evaluate: ({ streams }) => streams.map(shareFinding),
    },
    newErrorRule(),
  ];
}

function shareFinding({ stream, errors }: StreamSample): AlertFinding {
  const subject = { stream };
  if (errors === undefined) return { subject, isBad: undefined, text: '', whatToDo: '' };
  const { share, usualShare, count, total, mostFrequent: most } = errors;
  const often = most === undefined ? '' : `; most often: ${said(most)}`;
  const usual = usualShare === undefined ? 'an unknown part' : percent(usualShare);
  const example = most === undefined ? '' : `, and reader.context('${shown(most.entryId)}') for one of them`;
  return {
    subject,
    isBad: isHigh(errors),
    text: `Stream ${stream} has errors in ${percent(share ?? 0)} of its records (${count} of ${total}), usual is ${usual}${often}`,
    whatToDo: `See insights.common(undefined, 'error', '15m') for what they say${example}.`,
  };
}

function isHigh({ count, share, usualShare }: ErrorSample): boolean | undefined {
  if (count < MIN_ERRORS) return false;
  if (share === undefined || usualShare === undefined) return undefined;
  return share > TIMES_USUAL * usualShare;
}

/** A message is new for some minutes. While nobody can tell, those that were stay as they are, so that none is told twice. */
function newErrorRule(): AlertRule {
  let before = new Map<string, readonly ErrorMessage[]>();
  const evaluate = ({ streams }: MonitorSample): AlertFinding[] => {
    const now = new Map<string, readonly ErrorMessage[]>();
    const findings = streams.flatMap(({ stream, errors, serverMs = 0 }) => {
      const held = (before.get(stream) ?? []).filter(({ firstSeen }) => serverMs - firstSeen < HOUR);
      const messages = errors?.newMessages ?? held;
      now.set(stream, messages);
      const isBad = errors === undefined ? undefined : true;
      return messages.map((message) => ({ isBad, ...newFinding(stream, message) }));
    });
    before = now;
    return findings;
  };
  return { name: 'NewError', severity: 'info', forMs: 0, evaluate };
}

function newFinding(stream: string, message: ErrorMessage): Omit<AlertFinding, 'isBad'> {
  const { id, service, level, entryId } = message;
  const kind = level === 'fatal' ? 'a fatal error' : 'an error';
  return {
    subject: { stream, message: id },
    text: `Stream ${stream} has ${kind} that was never seen before: ${said(message)}`,
    whatToDo: `See reader.context('${shown(entryId)}') for what led to it, and insights.common('${shown(service)}', '${level}', '1h') for how often it comes.`,
  };
}

/** Masked here as well, since counters can be told to count each text on its own. */
function said({ template, service }: ErrorMessage): string {
  const text = shown(messageTemplate(template)) || '(no text)';
  return service === '' ? text : `${text} (${shown(service)})`;
}

/** Messages and names come from anywhere. */
function shown(text: string): string {
  return visible(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text);
}

/** Two digits that say something: 12 %, 0.34 %. */
function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`;
}
