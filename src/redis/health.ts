import { LEFT_OUT, type LogStats } from '../pipeline/account.js';
import type { StoreState } from '../pipeline/ports.js';
import { OWN_CODES } from './link-errors.js';
import type { WriteWatch } from './watched-store.js';

/**
 * How the way to Redis stands. `up`: records are stored as they come. `degraded`: they wait, in memory or on disk, and the
 * application goes on. `down`: only where `downWhen` asks for it.
 */
export type LogHealthStatus = 'up' | 'degraded' | 'down';

export interface HealthOptions {
  /** When to say `down` instead of `degraded`. Default: never, because an application can serve without its logs. */
  readonly downWhen?: {
    /** Degraded for at least so long, in milliseconds. */
    readonly degradedMs?: number;
    /** The queue in memory filled to at least this share, from 0 to 1. */
    readonly queueShare?: number;
  };
}

export interface LogHealth {
  readonly status: LogHealthStatus;
  /**
   * Why not `up`: `redis_away` (no connection), `no_answer` (Redis has a batch and says nothing), `refused` (Redis answers
   * with an error), `closed` (the logger has been shut down).
   */
  readonly reason: 'redis_away' | 'no_answer' | 'refused' | 'closed' | undefined;
  /** First word of the error of Redis (`OOM`) or the code of the socket (`ECONNRESET`), where there is one. */
  readonly error: string | undefined;
  /** For how long it has not been `up`; 0 when it is. */
  readonly degradedMs: number;
  /** Records that wait in memory. */
  readonly queued: number;
  /** Of `queue.maxRecords`, 0 to 1. */
  readonly queueShare: number;
  /** Records that wait on disk. */
  readonly spooled: number;
  readonly inFlight: number;
  /** Records dropped so far, for whatever reason but that the options asked for it. */
  readonly dropped: number;
  /** Since Redis last confirmed a batch; `undefined` before the first. */
  readonly lastDeliveredMsAgo: number | undefined;
}

/** What becomes of a batch that no server answers: words of ours, and of the socket. */
const NO_ANSWER: ReadonlySet<string> = new Set([...OWN_CODES, 'Error', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT']);

/** So long may Redis think about a batch before that counts as trouble. */
const SILENCE_MS = 1_000;

export interface HealthParts {
  readonly now: () => number;
  readonly state: () => StoreState;
  /** Why there is no connection, in one word of Redis or of the socket. */
  readonly cause: () => string | undefined;
  readonly stats: () => LogStats;
  readonly queueCapacity: number;
}

/** What is wrong, and since when. */
interface Trouble {
  readonly reason: NonNullable<LogHealth['reason']>;
  readonly error?: string | undefined;
  readonly since: number;
}

/** Knows from what happens to batches and to the connection how things stand; costs nothing per record. */
export class HealthWatch implements WriteWatch {
  readonly #parts: HealthParts;
  /** Batches without an answer, and since when none has come. */
  #waiting = 0;
  #waitingSince = 0;
  #refusal: Trouble | undefined;
  #awaySince: number | undefined;
  #closedAt: number | undefined;
  #deliveredAt: number | undefined;

  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  sending(): void {
    if (this.#waiting++ === 0) this.#waitingSince = this.#parts.now();
  }

  answered(): void {
    this.#waiting--;
    this.#waitingSince = this.#parts.now();
  }

  appended(_durationMs: number, errorType: string | undefined): void {
    const now = this.#parts.now();
    if (errorType === undefined) {
      this.#deliveredAt = now;
      this.#refusal = undefined;
    } else if (!errorType.startsWith('guard_')) {
      this.refused(errorType);
    }
  }

  refused(errorType: string): void {
    // That the connection is gone is told by its state.
    if (NO_ANSWER.has(errorType)) return;
    const since = this.#refusal?.since ?? this.#parts.now();
    this.#refusal = { reason: 'refused', error: errorType, since };
  }

  stateChanged(): void {
    const state = this.#parts.state();
    if (state === 'ready') this.#awaySince = undefined;
    else if (state === 'waiting') this.#awaySince ??= this.#parts.now();
    else if (state === 'closed') this.#closedAt ??= this.#parts.now();
  }

  health(options?: HealthOptions): LogHealth {
    const { now, stats, queueCapacity } = this.#parts;
    const { queued, spooled, inFlight, dropped } = stats();
    const trouble = this.#trouble(queued + spooled + inFlight > 0);
    const degradedMs = trouble === undefined ? 0 : now() - trouble.since;
    const queueShare = Math.min(1, queued / queueCapacity);
    const { degradedMs: maxMs = Infinity, queueShare: maxShare = Infinity } = options?.downWhen ?? {};
    const isDown = trouble !== undefined && (degradedMs >= maxMs || queueShare >= maxShare);
    return {
      status: isDown ? 'down' : trouble === undefined ? 'up' : 'degraded',
      reason: trouble?.reason,
      error: trouble?.error,
      degradedMs: Math.round(degradedMs),
      queued,
      queueShare,
      spooled,
      inFlight,
      dropped: lost(dropped),
      lastDeliveredMsAgo: this.#deliveredAt === undefined ? undefined : Math.round(now() - this.#deliveredAt),
    };
  }

  /** `hasWaiting`: an error of the past is none any more when nothing waits for what it was about. */
  #trouble(hasWaiting: boolean): Trouble | undefined {
    if (this.#closedAt !== undefined) return { reason: 'closed', since: this.#closedAt };
    const error = hasWaiting ? this.#refusal : undefined;
    if (this.#awaySince !== undefined) {
      return { reason: 'redis_away', error: this.#parts.cause(), since: this.#awaySince };
    }
    if (error !== undefined) return error;
    const isSilent = this.#waiting > 0 && this.#parts.now() - this.#waitingSince >= SILENCE_MS;
    return isSilent ? { reason: 'no_answer', since: this.#waitingSince } : undefined;
  }
}

function lost(dropped: LogStats['dropped']): number {
  return Object.entries(dropped).reduce(
    (sum, [reason, count]) => (LEFT_OUT.has(reason) ? sum : sum + count),
    0,
  );
}
