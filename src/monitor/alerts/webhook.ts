import type { Diagnostics } from '../../diagnostics.js';
import { Backoff, type Runtime } from '../../pipeline/runtime.js';
import type { Alert, WebhookOptions } from './types.js';

export interface WebhookParts {
  readonly runtime: Runtime;
  readonly diagnostics: Diagnostics;
  readonly fetch: typeof globalThis.fetch;
}

/** Alerts that wait for a receiver that is slow or away; beyond it the oldest are given up. */
const MAX_WAITING = 100;
const RETRY = { baseMs: 500, maxMs: 10_000 };

/** Posts alerts one after the other, each with a deadline and a bounded number of tries. Never throws. */
export class Webhook {
  readonly #options: WebhookOptions;
  readonly #parts: WebhookParts;
  readonly #waiting: Alert[] = [];
  #isClosed = false;
  #working: Promise<void> | undefined;

  constructor(options: WebhookOptions, parts: WebhookParts) {
    this.#options = options;
    this.#parts = parts;
  }

  send(alert: Alert): void {
    if (this.#isClosed) return;
    this.#waiting.push(alert);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting.shift();
      this.#parts.diagnostics.warn('alert:webhook', 'Alerts wait for the webhook; the oldest was given up.');
    }
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  /** Resolves when everything sent so far was posted or given up. */
  async settled(): Promise<void> {
    await this.#working;
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
  }

  async #work(): Promise<void> {
    for (let alert = this.#waiting.shift(); alert !== undefined; alert = this.#waiting.shift()) {
      await this.#post(alert);
    }
  }

  async #post(alert: Alert): Promise<void> {
    const { retries = 3 } = this.#options;
    const backoff = new Backoff(this.#parts.runtime.random, RETRY.baseMs, RETRY.maxMs);
    for (let attempt = 0; !this.#isClosed; attempt++) {
      const problem = await this.#try(alert);
      if (problem === undefined) return;
      if (!problem.mayPass || attempt >= retries) {
        const text = `The webhook did not take the alert ${alert.rule} (${alert.state}): ${problem.text}.`;
        this.#parts.diagnostics.warn('alert:webhook', `${text} Check alerts.webhook.url and its receiver.`);
        return;
      }
      await new Promise<void>((resolve) => this.#parts.runtime.after(backoff.next(), resolve));
    }
  }

  /** Never the error itself or the URL: both may carry a token. */
  async #try(alert: Alert): Promise<{ readonly text: string; readonly mayPass: boolean } | undefined> {
    const { url, headers = {}, timeoutMs = 5_000 } = this.#options;
    try {
      const response = await this.#parts.fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ ...alert, text: alertLine(alert), summary: alert.text }),
        signal: AbortSignal.timeout(timeoutMs),
        redirect: 'error',
      });
      await response.body?.cancel();
      if (response.ok) return undefined;
      const mayPass = response.status >= 500 || response.status === 429 || response.status === 408;
      return { text: `it answered ${response.status}`, mayPass };
    } catch (error) {
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      return { text: isLate ? `no answer within ${timeoutMs} ms` : 'it could not be reached', mayPass: true };
    }
  }
}

/** An alert in one line. */
export function alertLine({ state, rule, severity, text, whatToDo }: Alert): string {
  if (state === 'resolved') return `RESOLVED ${rule}. It was: ${text}.`;
  return `${severity.toUpperCase()} ${rule}: ${text}. ${whatToDo}`;
}
