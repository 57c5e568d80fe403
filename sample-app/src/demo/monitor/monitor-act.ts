import {
  type Alert,
  type MonitorSample,
  renderTable,
  ScaleAdvisor,
  StreamMonitor,
} from 'nestjs-redis-log/monitor';
import type { Clock } from '../clock.js';
import { pause, waitUntil } from '../pause.js';
import type { Timeline } from '../timeline.js';
import { GroupStory, type MonitorAccount } from './group-story.js';
import { SCREEN_GROUP, Screens } from './screen.js';
import { ScreenFeed } from './screen-feed.js';

export interface MonitorActParts {
  readonly source: string;
  /** The small stream of the screen. */
  readonly stream: string;
  readonly timeline: Timeline;
  readonly clock: Clock;
}

/** Enough to judge by, and little enough that a few seconds of trouble show. Rates are over as many samples. */
const WINDOW = 5;
const RECOVERY_TIMEOUT_MS = 10_000;

/** A slow consumer hangs until records are lost unread, is helped as advised, and recovers; a monitor tells of it. */
export class MonitorAct {
  readonly #timeline: Timeline;
  readonly #clock: Clock;
  readonly #story: GroupStory;
  readonly #feed: ScreenFeed;
  readonly #screens: Screens;
  readonly #advisor = new ScaleAdvisor();
  readonly #monitor: StreamMonitor;

  constructor({ source, stream, timeline, clock }: MonitorActParts) {
    const { screenKeeps: keeps, sampleEveryMs: intervalMs } = timeline;
    this.#timeline = timeline;
    this.#clock = clock;
    this.#story = new GroupStory({ stream, group: SCREEN_GROUP, keeps }, clock);
    this.#feed = new ScreenFeed({ from: source, to: stream, keeps });
    this.#screens = new Screens(stream);
    this.#screens.add();
    this.#monitor = new StreamMonitor({
      streams: stream,
      intervalMs,
      window: WINDOW,
      retention: { maxLength: keeps },
      alerts: { notify: (alert) => this.#alert(alert) },
    });
    this.#monitor.onSample((sample) => this.#look(sample));
    this.#monitor.start();
  }

  get account(): MonitorAccount {
    return this.#story.toAccount();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { screenWorksMs, screenHangsMs: timeoutMs, sampleEveryMs } = this.#timeline;
    await pause(screenWorksMs, signal);
    if (signal.aborted) return;
    this.#show(
      `Monitor: the group ${SCREEN_GROUP} is well. Now its only consumer hangs, and the shop goes on.`,
    );
    this.#screens.hang();
    await waitUntil(() => this.#story.hasBeen('LOSING'), { timeoutMs, signal });
    // A little longer, so that what was lost can be counted.
    await pause(2 * sampleEveryMs, signal);
    if (signal.aborted) return;
    this.#screens.goOn();
    this.#screens.add();
    this.#clock.tell('Screen: it goes on, and a second one helps it, as was advised.');
    const isOver = (): boolean => this.#story.hasRecovered;
    if (!(await waitUntil(isOver, { timeoutMs: RECOVERY_TIMEOUT_MS, signal }))) return;
    this.#show(`Monitor: the group ${SCREEN_GROUP} has recovered.`);
  }

  async close(): Promise<void> {
    await Promise.all([this.#monitor.stop(), this.#feed.close(), this.#screens.close()]);
  }

  #look(sample: MonitorSample): void {
    const group = sample.streams[0]?.groups[0];
    if (group === undefined) return;
    const hasChanged = this.#story.noteSample(group);
    if (hasChanged && group.status !== 'OK')
      this.#show(`Monitor: the group ${SCREEN_GROUP} is ${group.status}.`);
    for (const advice of this.#advisor.observe(sample)) {
      if (!this.#story.noteAdvice(advice)) continue;
      const { decision, consumers, desired, reason } = advice;
      const wish = desired === consumers ? 'as it is' : `from ${consumers} to ${desired} consumers`;
      this.#clock.tell(`Advice: ${decision}, ${wish}. ${reason}`);
    }
  }

  #show(heading: string): void {
    const { last } = this.#monitor;
    const color = process.stdout.isTTY && process.stdout.hasColors();
    this.#clock.tell(heading, ...(last === undefined ? [] : [renderTable(last, { color }).trimEnd()]));
  }

  #alert(alert: Alert): void {
    this.#story.noteAlert(alert);
    const { state, rule, severity, text, whatToDo } = alert;
    const what = state === 'firing' ? `fires (${severity}): ${text}. ${whatToDo}` : 'is resolved.';
    this.#clock.tell(`Alert ${rule} ${what}`);
  }
}
