import type { Clock } from '../clock.js';
import type { Alert, GroupSample, GroupStatus, ScaleAdvice } from 'nestjs-redis-log/monitor';

/** What a monitor said of one group, in the order in which it did. Part of `--json`; null is unknown. */
export interface MonitorAccount {
  readonly stream: string;
  readonly group: string;
  /** Entries that the stream keeps. */
  readonly keeps: number;
  /** One for each change. */
  readonly statuses: readonly StatusNote[];
  /** The first one once it has stalled: how long it would take until records are lost. */
  readonly forecast: { readonly atSeconds: number; readonly losingInSeconds: number } | null;
  readonly alerts: readonly AlertNote[];
  readonly scaling: readonly ScaleNote[];
  /** Records that were trimmed before the group got them. */
  readonly lost: number | null;
  /** OK again after LOSING, with no alert and no forecast, and the group up to date. */
  readonly recovered: boolean;
}

export interface StatusNote {
  readonly atSeconds: number;
  readonly status: GroupStatus;
  readonly lag: number | null;
  readonly secondsBehind: number | null;
  readonly advice: string;
}

export interface AlertNote {
  readonly atSeconds: number;
  readonly state: Alert['state'];
  readonly rule: string;
  readonly severity: Alert['severity'];
  readonly text: string;
  readonly whatToDo: string;
}

export interface ScaleNote {
  readonly atSeconds: number;
  readonly decision: ScaleAdvice['decision'];
  readonly consumers: number;
  readonly desired: number;
  readonly reason: string;
}

type Head = Pick<MonitorAccount, 'stream' | 'group' | 'keeps'>;

/** Notes changes, and says whether there was one. */
export class GroupStory {
  readonly #head: Head;
  readonly #clock: Clock;
  readonly #statuses: StatusNote[] = [];
  readonly #alerts: AlertNote[] = [];
  readonly #scaling: ScaleNote[] = [];
  #forecast: MonitorAccount['forecast'] = null;
  #last: GroupSample | undefined;

  constructor(head: Head, clock: Clock) {
    this.#head = head;
    this.#clock = clock;
  }

  get status(): GroupStatus | undefined {
    return this.#statuses.at(-1)?.status;
  }

  hasBeen(status: GroupStatus): boolean {
    return this.#statuses.some((note) => note.status === status);
  }

  /** Records were lost, and all is well again: no alert, no forecast, next to no lag, and the advice to leave it as it is. */
  get hasRecovered(): boolean {
    const firing = this.#alerts.filter(({ state }) => state === 'firing').length;
    const isQuiet = this.#alerts.length === 2 * firing && this.#scaling.at(-1)?.decision !== 'OUT';
    const isWell = this.status === 'OK' && this.#last?.losingInMs === undefined && this.#hasCaughtUp;
    return isWell && isQuiet && this.hasBeen('LOSING');
  }

  /** Less waits than a tenth of what is kept: so much is always on its way. */
  get #hasCaughtUp(): boolean {
    const lag = this.#last?.lag;
    return lag?.kind === 'exact' && lag.entries * 10 < this.#head.keeps;
  }

  noteSample(sample: GroupSample): boolean {
    const { status, lag, timeBehindMs, losingInMs, advice } = sample;
    const atSeconds = this.#clock.seconds;
    this.#last = sample;
    if (status === 'STALLED' && losingInMs !== undefined)
      this.#forecast ??= { atSeconds, losingInSeconds: inSeconds(losingInMs) };
    if (status === this.status) return false;
    const entries = lag.kind === 'unknown' ? null : lag.entries;
    const secondsBehind = timeBehindMs === undefined ? null : inSeconds(timeBehindMs);
    this.#statuses.push({ atSeconds, status, lag: entries, secondsBehind, advice });
    return true;
  }

  noteAlert({ state, rule, severity, text, whatToDo }: Alert): void {
    this.#alerts.push({ atSeconds: this.#clock.seconds, state, rule, severity, text, whatToDo });
  }

  noteAdvice({ decision, consumers, desired, reason }: ScaleAdvice): boolean {
    if (decision === (this.#scaling.at(-1)?.decision ?? 'STAY')) return false;
    this.#scaling.push({ atSeconds: this.#clock.seconds, decision, consumers, desired, reason });
    return true;
  }

  toAccount(): MonitorAccount {
    const lost = this.#last?.lost;
    return {
      ...this.#head,
      statuses: this.#statuses,
      forecast: this.#forecast,
      alerts: this.#alerts,
      scaling: this.#scaling,
      lost: lost === undefined || lost.kind === 'unknown' ? null : lost.entries,
      recovered: this.hasRecovered,
    };
  }
}

function inSeconds(ms: number): number {
  return Math.round(ms / 100) / 10;
}
