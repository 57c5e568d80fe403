import type { MonitorSample } from '../types.js';

export type AlertSeverity = 'info' | 'warn' | 'error' | 'critical';

/** What an alert is about. */
export interface AlertSubject {
  readonly stream?: string;
  readonly group?: string;
  readonly producer?: string;
  /** Id of a message, as in `errors.newMessages`. */
  readonly message?: string;
  /** Address of a server. */
  readonly server?: string;
}

/** What a rule says of one subject in one sample. */
export interface AlertFinding {
  readonly subject: AlertSubject;
  /** `undefined`: cannot be told, so that the alert stays as it is. */
  readonly isBad: boolean | undefined;
  /** What was seen, in one sentence. */
  readonly text: string;
  /** What to do, in one sentence. */
  readonly whatToDo: string;
}

export interface AlertRule {
  /** Names the rule; unique among the rules of a monitor. */
  readonly name: string;
  readonly severity: AlertSeverity;
  /** The condition must hold for so long before the alert fires, in milliseconds. 0: at once. */
  readonly forMs: number;
  /** After firing, the condition must be gone for so long before the alert is resolved. Default 0. */
  readonly keepFiringForMs?: number;
  /** Looks at one sample. A subject that it does not name any more counts as well. */
  evaluate(sample: MonitorSample): readonly AlertFinding[];
}

/** One message. Each alert fires once and is resolved once. */
export interface Alert {
  readonly state: 'firing' | 'resolved';
  readonly rule: string;
  readonly severity: AlertSeverity;
  readonly subject: AlertSubject;
  readonly text: string;
  readonly whatToDo: string;
  /** Since when the condition holds. */
  readonly since: Date;
  /** When this was told. */
  readonly at: Date;
}

export interface WebhookOptions {
  /**
   * Gets a POST with the alert as JSON; its `text` is one line, which Slack and others show. A user and a password in it
   * are sent as basic authorization.
   */
  readonly url: string;
  /** Further headers, such as `authorization`. Never shown. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For one try, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /** Tries after the first, with growing waits. Default 3. */
  readonly retries?: number;
}

export interface AlertOptions {
  /** Default: {@link defaultAlertRules}. */
  readonly rules?: readonly AlertRule[];
  /** Called with every alert. */
  readonly notify?: (alert: Alert) => unknown;
  readonly webhook?: WebhookOptions;
  /** One line on stderr per alert. Default: when there is neither `notify` nor `webhook`. */
  readonly log?: boolean;
}
