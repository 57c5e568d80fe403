import { createHash } from 'node:crypto';
import { encodeValue } from '../../codec/value.js';
import type { LogRecord } from '../../record/log-record.js';
import { messageTemplate } from '../../record/message-template.js';

/** A template is made of so much of a text: what it tells apart stands there. */
const MAX_TEXT = 2_000;
/** Of a template and of an example, so much is kept. */
const MAX_KEPT = 500;
const ID_LENGTH = 12;

/** What a record says: its body, or the name of its event, or what was thrown. */
export function messageText({ body, eventName, attributes }: LogRecord): string {
  const text = typeof body === 'string' ? body : body === undefined || body === null ? '' : encodeValue(body);
  const said = text || eventName || attributes['exception.message'] || attributes['exception.type'];
  return typeof said === 'string' ? said : '';
}

/** What messages that are counted together have in common: what the application says, or the pattern of their texts. */
export function templateOf(record: LogRecord, countBy: 'template' | 'text'): string {
  const text = messageText(record);
  if (countBy === 'text') return text;
  const fingerprint = record.attributes['log.fingerprint'];
  if (typeof fingerprint === 'string' && fingerprint !== '') return fingerprint;
  return messageTemplate(text.slice(0, MAX_TEXT));
}

export function kept(text: string): string {
  return text.slice(0, MAX_KEPT);
}

/** Short, and the same in every process. */
export function messageId(section: string, template: string): string {
  return createHash('sha256').update(`${section}\n${template}`).digest('base64url').slice(0, ID_LENGTH);
}
