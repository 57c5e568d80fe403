import { describeError } from '../../diagnostics.js';
import type { MonitorSample } from '../types.js';
import { AlertBook } from './alert-book.js';
import { defaultAlertRules } from './default-rules.js';
import type { Alert, AlertOptions, AlertRule } from './types.js';
import { alertLine, Webhook, type WebhookParts } from './webhook.js';

/** Rules in, messages out: to a callback, a webhook, stderr, and whoever listens. */
export class AlertDesk {
  readonly #book: AlertBook;
  readonly #options: AlertOptions;
  readonly #parts: WebhookParts;
  readonly #webhook: Webhook | undefined;
  readonly #listeners = new Set<(alert: Alert) => unknown>();

  constructor(options: AlertOptions, parts: WebhookParts) {
    this.#options = options;
    this.#parts = parts;
    this.#book = new AlertBook((options.rules ?? defaultAlertRules()).map((rule) => this.#guarded(rule)));
    this.#webhook = options.webhook === undefined ? undefined : new Webhook(options.webhook, parts);
  }

  get firing(): Alert[] {
    return this.#book.firing;
  }

  listen(listener: (alert: Alert) => unknown): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  observe(sample: MonitorSample): void {
    for (const alert of this.#book.observe(sample, this.#parts.runtime.now())) this.#tell(alert);
  }

  close(): void {
    this.#webhook?.close();
    this.#listeners.clear();
  }

  #tell(alert: Alert): void {
    const { notify, webhook, log = notify === undefined && webhook === undefined } = this.#options;
    if (log) {
      // A key of its own for each, or the limit of one line in ten seconds would swallow the second alert.
      const key = `alert:${alert.rule}:${alert.state}:${JSON.stringify(alert.subject)}`;
      this.#parts.diagnostics[lineLevel(alert)](key, alertLine(alert));
    }
    this.#webhook?.send(alert);
    for (const listener of [...(notify === undefined ? [] : [notify]), ...this.#listeners]) {
      void this.#call(listener, alert);
    }
  }

  async #call(listener: (alert: Alert) => unknown, alert: Alert): Promise<void> {
    try {
      await listener(alert);
    } catch (error) {
      this.#parts.diagnostics.error('alert:notify', `A listener of alerts threw: ${describeError(error)}.`);
    }
  }

  /** A rule of somebody's that throws must not silence the others. */
  #guarded(rule: AlertRule): AlertRule {
    return {
      ...rule,
      evaluate: (sample) => {
        try {
          return rule.evaluate(sample);
        } catch (error) {
          const text = `The alert rule ${rule.name} threw: ${describeError(error)}.`;
          this.#parts.diagnostics.error(`alert:rule:${rule.name}`, text);
          return [];
        }
      },
    };
  }
}

function lineLevel({ state, severity }: Alert): 'info' | 'warn' | 'error' {
  if (state === 'resolved' || severity === 'info') return 'info';
  return severity === 'warn' ? 'warn' : 'error';
}
