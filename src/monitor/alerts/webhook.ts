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
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #parts: WebhookParts;
  readonly #waiting: Alert[] = [];
  #isClosed = false;
  #working: Promise<void> | undefined;

  constructor(options: WebhookOptions, parts: WebhookParts) {
    const { url, authorization } = withoutCredentials(options.url);
    this.#options = options;
    this.#url = url;
    this.#headers = headersOf(options, authorization);
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
    const { timeoutMs = 5_000 } = this.#options;
    try {
      const response = await this.#parts.fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify({ ...alert, text: alertLine(alert), summary: alert.text }),
        signal: AbortSignal.timeout(timeoutMs),
        // Not 'error', which looks like a receiver that is away for a while.
        redirect: 'manual',
      });
      await response.body?.cancel();
      const { ok, status } = response;
      if (ok) return undefined;
      if (status >= 300 && status < 400)
        return { text: `it redirects (${status}), and that is refused`, mayPass: false };
      const mayPass = status >= 500 || status === 429 || status === 408;
      return { text: `it answered ${status}`, mayPass };
    } catch (error) {
      const isLate = error instanceof Error && error.name === 'TimeoutError';
      return { text: isLate ? `no answer within ${timeoutMs} ms` : 'it could not be reached', mayPass: true };
    }
  }
}

/** fetch refuses URLs with a user and a password. */
function withoutCredentials(given: string): {
  readonly url: string;
  readonly authorization: string | undefined;
} {
  const url = new URL(given);
  const { username, password } = url;
  if (username === '' && password === '') return { url: given, authorization: undefined };
  url.username = '';
  url.password = '';
  const credentials = Buffer.from(`${decoded(username)}:${decoded(password)}`).toString('base64');
  return { url: url.href, authorization: `Basic ${credentials}` };
}

/** A percent sign that begins no escape stands for itself. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Those that are given come first, in whatever case their names are. */
function headersOf(
  { headers = {} }: WebhookOptions,
  authorization: string | undefined,
): Record<string, string> {
  const all = new Headers({ 'content-type': 'application/json' });
  if (authorization !== undefined) all.set('authorization', authorization);
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  return Object.fromEntries(all);
}

/** An alert in one line. */
export function alertLine({ state, rule, severity, text, whatToDo }: Alert): string {
  if (state === 'resolved') return `RESOLVED ${rule}. It was: ${text}.`;
  return `${severity.toUpperCase()} ${rule}: ${text}. ${whatToDo}`;
}
