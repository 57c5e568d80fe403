import { setTimeout as delay } from 'node:timers/promises';
import { LogConsumer } from 'nestjs-redis-log/consumer';
import { say } from '../report.js';

export const SCREEN_GROUP = 'screen';

/** A slow consumer: it reads about 170 records a second. */
const SHOWING_TAKES_MS = 6;

/** Shows the records of a stream, slowly; several screens of one group share them. Can be made to hang. */
export class Screens {
  readonly #stream: string;
  readonly #consumers: { readonly consumer: LogConsumer; readonly ended: Promise<void> }[] = [];
  #hanging: { readonly over: Promise<void>; readonly end: () => void } | undefined;

  constructor(stream: string) {
    this.#stream = stream;
  }

  add(): void {
    const consumer = new LogConsumer({
      stream: this.#stream,
      group: SCREEN_GROUP,
      batchSize: 10,
      maxWaitMs: 50,
    });
    const shown = consumer.run(async ({ size }) => {
      await this.#hanging?.over;
      await delay(size * SHOWING_TAKES_MS);
    });
    const ended = shown.catch((error: unknown) => say(`The screen cannot read: ${String(error)}`));
    this.#consumers.push({ consumer, ended });
  }

  /** From now on nothing is finished, as when a database does not answer. */
  hang(): void {
    if (this.#hanging !== undefined) return;
    let end = (): void => {};
    const over = new Promise<void>((resolve) => (end = resolve));
    this.#hanging = { over, end };
  }

  goOn(): void {
    this.#hanging?.end();
    this.#hanging = undefined;
  }

  async close(): Promise<void> {
    this.goOn();
    await Promise.all(this.#consumers.map(({ consumer }) => consumer.close()));
    await Promise.all(this.#consumers.map(({ ended }) => ended));
  }
}
