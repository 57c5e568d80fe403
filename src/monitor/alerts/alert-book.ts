import type { MonitorSample } from '../types.js';
import type { Alert, AlertFinding, AlertRule } from './types.js';

interface Entry {
  readonly rule: AlertRule;
  finding: AlertFinding;
  readonly since: Date;
  readonly badSinceMs: number;
  /** Undefined while the condition holds. */
  goodSinceMs: number | undefined;
  isFiring: boolean;
}

/**
 * Which alerts are on. A condition that holds for as long as its rule says fires once; one that is gone, or whose
 * subject is, is resolved once. In between nothing is said again.
 */
export class AlertBook {
  readonly #rules: readonly AlertRule[];
  readonly #entries = new Map<string, Entry>();

  constructor(rules: readonly AlertRule[]) {
    this.#rules = rules;
  }

  /** The alerts that are firing. */
  get firing(): Alert[] {
    return Array.from(this.#entries.values())
      .filter(({ isFiring }) => isFiring)
      .map((entry) => alertOf(entry, 'firing', entry.since));
  }

  /** What there is to tell after this sample; `nowMs` is of a clock that never jumps. */
  observe(sample: MonitorSample, nowMs: number): Alert[] {
    const told: Alert[] = [];
    const named = new Set<string>();
    for (const rule of this.#rules) {
      for (const finding of rule.evaluate(sample)) {
        const key = keyOf(rule, finding);
        named.add(key);
        const alert = this.#judge({ key, rule, finding, nowMs, at: sample.at });
        if (alert !== undefined) told.push(alert);
      }
    }
    for (const [key, entry] of this.#entries) {
      if (named.has(key)) continue;
      const alert = this.#clear(key, entry, { nowMs, at: sample.at });
      if (alert !== undefined) told.push(alert);
    }
    return told;
  }

  #judge({ key, rule, finding, nowMs, at }: Judgement): Alert | undefined {
    const entry = this.#entries.get(key);
    if (finding.isBad === undefined) return undefined;
    if (!finding.isBad) return entry === undefined ? undefined : this.#clear(key, entry, { nowMs, at });
    if (entry === undefined) {
      const fresh = { rule, finding, since: at, badSinceMs: nowMs, goodSinceMs: undefined, isFiring: false };
      this.#entries.set(key, fresh);
      return fire(fresh, nowMs, at);
    }
    entry.finding = finding;
    entry.goodSinceMs = undefined;
    return fire(entry, nowMs, at);
  }

  #clear(key: string, entry: Entry, { nowMs, at }: { nowMs: number; at: Date }): Alert | undefined {
    entry.goodSinceMs ??= nowMs;
    if (entry.isFiring && nowMs - entry.goodSinceMs < (entry.rule.keepFiringForMs ?? 0)) return undefined;
    this.#entries.delete(key);
    return entry.isFiring ? alertOf(entry, 'resolved', at) : undefined;
  }
}

interface Judgement {
  readonly key: string;
  readonly rule: AlertRule;
  readonly finding: AlertFinding;
  readonly nowMs: number;
  readonly at: Date;
}

function fire(entry: Entry, nowMs: number, at: Date): Alert | undefined {
  if (entry.isFiring || nowMs - entry.badSinceMs < entry.rule.forMs) return undefined;
  entry.isFiring = true;
  return alertOf(entry, 'firing', at);
}

function alertOf({ rule, finding, since }: Entry, state: Alert['state'], at: Date): Alert {
  const { subject, text, whatToDo } = finding;
  return { state, rule: rule.name, severity: rule.severity, subject, text, whatToDo, since, at };
}

function keyOf(rule: AlertRule, { subject }: AlertFinding): string {
  const { server, stream, group, producer, message } = subject;
  return JSON.stringify([rule.name, server, stream, group, producer, message]);
}
