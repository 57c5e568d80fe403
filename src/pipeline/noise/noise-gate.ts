import type { LogRecord } from '../../record/log-record.js';
import type { Pipeline } from '../pipeline.js';
import type { Runtime } from '../runtime.js';
import { Deduplicator } from './deduplicator.js';
import type { ResolvedNoise } from '../../options/types.js';
import { RateLimiter } from './rate-limiter.js';
import { Sampler } from './sampler.js';
import { type Suppressed, summaryRecord } from './summary.js';

/** FATAL: what says why a process ends is never one too many. */
const FATAL = 21;

/** Of the pipeline, what stands behind the gate. */
export type Gated = Pick<Pipeline, 'emit' | 'leaveOut'>;

/** The way into the pipeline, with what is noise left out of it, and counted. */
export class NoiseGate {
  readonly #pipeline: Gated;
  readonly #runtime: Runtime;
  readonly #windowMs: number;
  readonly #sampler: Sampler | undefined;
  #deduplicator: Deduplicator | undefined;
  #limiter: RateLimiter | undefined;
  /** Summaries that are due once the record at hand has been dealt with. */
  readonly #due: Suppressed[] = [];
  #sweepIsDue = false;

  constructor(rules: ResolvedNoise, pipeline: Gated, runtime: Runtime) {
    const { sampling, rateLimit, deduplicate } = rules;
    const ended = (suppressed: Suppressed): number => this.#due.push(suppressed);
    this.#pipeline = pipeline;
    this.#runtime = runtime;
    this.#sampler = sampling ? new Sampler(sampling, runtime.random) : undefined;
    this.#deduplicator = deduplicate ? new Deduplicator(deduplicate, ended) : undefined;
    this.#limiter = rateLimit ? new RateLimiter(rateLimit, ended) : undefined;
    this.#windowMs = Math.min(
      rateLimit ? rateLimit.windowMs : Infinity,
      deduplicate ? deduplicate.windowMs : Infinity,
    );
  }

  /** As the pipeline's own. A record left out was not refused: that is what was asked for. */
  emit(record: LogRecord): boolean {
    const reason = this.#judge(record);
    if (this.#due.length > 0) this.#tell();
    return reason === undefined ? this.#pipeline.emit(record) : this.#pipeline.leaveOut(reason);
  }

  /** The pipeline is about to close: says now what was left out. Of what still comes, nothing is repeated often enough. */
  end(): void {
    this.#sweep(Infinity);
    this.#deduplicator = undefined;
    this.#limiter = undefined;
  }

  #judge(record: LogRecord): 'sampled' | 'duplicate' | 'rate_limited' | undefined {
    try {
      if (this.#sampler?.keeps(record) === false) return 'sampled';
      if ((record.severityNumber ?? 0) >= FATAL) return undefined;
      const now = this.#runtime.now();
      const reason = this.#isRepeated(record, now);
      if (reason !== undefined && !this.#sweepIsDue) this.#schedule();
      return reason;
    } catch {
      // A hostile record, with a getter that throws: the pipeline sets it aside.
      return undefined;
    }
  }

  #isRepeated(record: LogRecord, now: number): 'duplicate' | 'rate_limited' | undefined {
    if (this.#deduplicator?.keeps(record, now) === false) return 'duplicate';
    return this.#limiter?.keeps(record, now) === false ? 'rate_limited' : undefined;
  }

  /** A summary comes also where no further record does. */
  #schedule(): void {
    this.#sweepIsDue = true;
    this.#runtime.after(this.#windowMs, () => {
      this.#sweepIsDue = false;
      if (this.#sweep(this.#runtime.now())) this.#schedule();
    });
  }

  /** True when something is still held back. */
  #sweep(now: number): boolean {
    this.#deduplicator?.sweep(now);
    this.#limiter?.sweep(now);
    this.#tell();
    return this.#deduplicator?.isHolding === true || this.#limiter?.isHolding === true;
  }

  #tell(): void {
    for (const suppressed of this.#due.splice(0)) {
      this.#pipeline.emit(summaryRecord(suppressed, Date.now()));
    }
  }
}
