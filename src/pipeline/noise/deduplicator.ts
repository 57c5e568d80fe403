import { hash } from 'node:crypto';
import { encodeValue } from '../../codec/value.js';
import type { LogRecord } from '../../record/log-record.js';
import type { DeduplicateOptions } from '../../options/types.js';
import { originOf, type Suppressed } from './summary.js';

/** Contexts whose last message is remembered. An application has some hundred. */
const MAX_CONTEXTS = 1_000;
const MAX_TEXT = 200;

interface Run extends Suppressed {
  readonly fingerprint: string;
  readonly endsAt: number;
}

/**
 * Of records that follow each other in one context and say the same (level, message, attributes), the first of each
 * window of time, and no others.
 */
export class Deduplicator {
  readonly #windowMs: number;
  readonly #ended: (suppressed: Suppressed) => void;
  readonly #runs = new Map<string, Run>();

  /** `ended` is told of every run in which something was left out, when it is over. */
  constructor({ windowMs }: Required<DeduplicateOptions>, ended: (suppressed: Suppressed) => void) {
    this.#windowMs = windowMs;
    this.#ended = ended;
  }

  keeps(record: LogRecord, now: number): boolean {
    const { name } = record.instrumentationScope;
    const fingerprint = fingerprintOf(record);
    const run = this.#runs.get(name);
    if (run !== undefined && run.fingerprint === fingerprint && now < run.endsAt) {
      run.count++;
      return false;
    }
    if (run !== undefined) this.#end(name, run);
    this.#begin(name, fingerprint, { record, now });
    return true;
  }

  /** True while there is something left out that no summary has told of yet. */
  get isHolding(): boolean {
    for (const { count } of this.#runs.values()) if (count > 0) return true;
    return false;
  }

  /** Ends what is over at `now`; the clock's `Infinity` ends all. */
  sweep(now: number): void {
    for (const [name, run] of this.#runs) if (run.endsAt <= now) this.#end(name, run);
  }

  #begin(name: string, fingerprint: string, { record, now }: { record: LogRecord; now: number }): void {
    for (const [oldest, run] of this.#runs) {
      if (this.#runs.size < MAX_CONTEXTS) break;
      this.#end(oldest, run);
    }
    const windowMs = this.#windowMs;
    const text = textOf(record.body);
    const origin = originOf(record);
    const endsAt = now + windowMs;
    this.#runs.set(name, { reason: 'duplicate', text, windowMs, origin, count: 0, fingerprint, endsAt });
  }

  #end(name: string, run: Run): void {
    this.#runs.delete(name);
    if (run.count > 0) this.#ended(run);
  }
}

/** A hash, so that what is remembered is small and nobody can change it; 256 bits, so that nothing is taken for another. */
function fingerprintOf({ severityNumber, body, attributes }: LogRecord): string {
  let text = `${severityNumber ?? 0} ${encodeValue(body)}`;
  for (const name of Object.keys(attributes)) {
    const value = encodeValue(attributes[name]);
    text += `\n${name.length} ${value.length} ${name}${value}`;
  }
  return hash('sha256', text, 'base64');
}

function textOf(body: unknown): string {
  const text = typeof body === 'string' ? body : encodeValue(body);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
}
