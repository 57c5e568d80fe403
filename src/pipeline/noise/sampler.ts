import { ContextPatterns } from '../../record/context-patterns.js';
import type { LogRecord } from '../../record/log-record.js';
import { LEVELS, severityClass } from '../../record/severity.js';
import type { ResolvedNoise } from '../../options/types.js';
import { codeAt } from '../../record/code-at.js';

/** ERROR and what is more severe is never left out. */
const ERROR_CLASS = 4;

/**
 * Decides which records are kept. Inside a span the trace id decides, and nothing else that could differ between two
 * processes, so that all of them keep the same traces; outside of one, chance does.
 */
export class Sampler {
  readonly #traces: number | undefined;
  readonly #byClass: readonly number[];
  readonly #byContext: ContextPatterns<number>;
  readonly #random: () => number;

  constructor(rules: Exclude<ResolvedNoise['sampling'], false>, random: () => number) {
    this.#traces = rules.traces;
    this.#byClass = LEVELS.map((level) => rules.levels[level] ?? rules.ratio);
    this.#byContext = new ContextPatterns(Object.entries(rules.contexts));
    this.#random = random;
  }

  keeps(record: LogRecord): boolean {
    const severity = severityClass(record.severityNumber);
    if (severity >= ERROR_CLASS) return true;
    const traceId = record.spanContext?.traceId;
    const ratio = (traceId === undefined ? undefined : this.#traces) ?? this.#ratioOf(record, severity);
    if (ratio >= 1) return true;
    return (traceId === undefined ? this.#random() : traceShare(traceId)) < ratio;
  }

  #ratioOf(record: LogRecord, severity: number): number {
    const { name } = record.instrumentationScope;
    const byContext = name === '' ? undefined : this.#byContext.get(name);
    return byContext ?? this.#byClass[severity] ?? 1;
  }
}

/**
 * From 0 up to, not including, 1: the same number for the same trace everywhere. FNV-1a, and murmur3's last steps to
 * spread it, because not every tracer makes ids that are random throughout.
 */
export function traceShare(traceId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < traceId.length; index++) {
    hash = Math.imul(hash ^ codeAt(traceId, index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
