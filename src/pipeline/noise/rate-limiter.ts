import { encodeValue } from '../../codec/value.js';
import type { LogRecord } from '../../record/log-record.js';
import { messageTemplate } from '../../record/message-template.js';
import type { RateLimitOptions } from '../../options/types.js';
import { originOf, type Suppressed } from './summary.js';

/** A template is made of the beginning of a long message: what it tells apart stands there. */
const MAX_TEXT = 1_000;

interface Window extends Suppressed {
  endsAt: number;
  kept: number;
}

/**
 * So many records of one context, level and message template in a window of time, and no more. A window begins with its
 * first record. At most `maxTemplates` are remembered, those that were seen last.
 */
export class RateLimiter {
  readonly #rules: Required<RateLimitOptions>;
  readonly #ended: (suppressed: Suppressed) => void;
  readonly #windows = new Map<string, Window>();

  /** `ended` is told of every window in which something was left out, when it is over. */
  constructor(rules: Required<RateLimitOptions>, ended: (suppressed: Suppressed) => void) {
    this.#rules = rules;
    this.#ended = ended;
  }

  keeps(record: LogRecord, now: number): boolean {
    const text = templateOf(record.body);
    const key = `${record.severityNumber ?? 0} ${record.instrumentationScope.name}\n${text}`;
    const window = this.#windowOf(key, now) ?? this.#open(key, text, { record, now });
    if (window.kept < this.#rules.maxRecords) {
      window.kept++;
      return true;
    }
    window.count++;
    return false;
  }

  /** True while there is something left out that no summary has told of yet. */
  get isHolding(): boolean {
    for (const { count } of this.#windows.values()) if (count > 0) return true;
    return false;
  }

  /** Ends what is over at `now`; the clock's `Infinity` ends all. */
  sweep(now: number): void {
    for (const [key, window] of this.#windows) if (window.endsAt <= now) this.#end(key, window);
  }

  #windowOf(key: string, now: number): Window | undefined {
    const window = this.#windows.get(key);
    if (window === undefined) return undefined;
    // Moved to the end: the map's order is that of use.
    this.#windows.delete(key);
    if (window.endsAt <= now) {
      this.#tell(window);
      return undefined;
    }
    this.#windows.set(key, window);
    return window;
  }

  #open(key: string, text: string, { record, now }: { record: LogRecord; now: number }): Window {
    const { windowMs, maxTemplates } = this.#rules;
    for (const [oldest, window] of this.#windows) {
      if (this.#windows.size < maxTemplates) break;
      this.#end(oldest, window);
    }
    const origin = originOf(record);
    const endsAt = now + windowMs;
    const window: Window = { reason: 'rate_limited', text, windowMs, origin, count: 0, kept: 0, endsAt };
    this.#windows.set(key, window);
    return window;
  }

  #end(key: string, window: Window): void {
    this.#windows.delete(key);
    this.#tell(window);
  }

  #tell(window: Window): void {
    if (window.count > 0) this.#ended(window);
  }
}

function templateOf(body: unknown): string {
  const text = typeof body === 'string' ? body : encodeValue(body);
  return messageTemplate(text.length > MAX_TEXT ? text.slice(0, MAX_TEXT) : text);
}
