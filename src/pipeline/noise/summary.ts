import type { HrTime, LogRecord } from '../../record/log-record.js';

/** Why records like the one kept were left out. */
export type Suppression = 'rate_limited' | 'duplicate';

/** Records of one kind that were left out, and what their summary needs to look like one of them. */
export interface Suppressed {
  readonly reason: Suppression;
  /** What they have in common: the template, or the message itself. */
  readonly text: string;
  readonly windowMs: number;
  readonly origin: RecordOrigin;
  count: number;
}

/** Of a record, what may be held after it has been encoded: nothing that somebody could still change. */
export type RecordOrigin = Pick<
  LogRecord,
  'severityNumber' | 'severityText' | 'resource' | 'instrumentationScope'
>;

export function originOf(record: LogRecord): RecordOrigin {
  const { severityNumber, severityText, resource, instrumentationScope } = record;
  return { severityNumber, severityText, resource, instrumentationScope };
}

/** The record that stands for those left out: where they came from, how severe, how many, and what they said. */
export function summaryRecord(suppressed: Suppressed, now: number): LogRecord {
  const { count, reason, text, windowMs, origin } = suppressed;
  const seconds = Math.floor(now / 1000);
  const hrTime: HrTime = [seconds, Math.round((now - seconds * 1000) * 1e6)];
  return {
    ...origin,
    hrTime,
    hrTimeObserved: hrTime,
    spanContext: undefined,
    eventName: undefined,
    body: `${count} more like this: ${text}`,
    attributes: {
      'log.suppressed.count': count,
      'log.suppressed.reason': reason,
      'log.suppressed.template': text,
      'log.suppressed.window_ms': windowMs,
    },
    droppedAttributesCount: 0,
  };
}
