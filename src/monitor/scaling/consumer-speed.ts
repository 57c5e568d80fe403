import { RATE_SAMPLES } from '../rate.js';
import type { GroupSample } from '../types.js';

/** What was learnt from busy consumers is worth less with every busy sample, since handlers and machines change. */
const FADING = 0.9;

/**
 * What one consumer of a group reads, learnt from samples. Only consumers that had no need to wait for entries show how
 * fast they are: nothing is forgotten while there is little to do, or while they hang. What they read at any time they
 * can read again, so the figure is never below that.
 */
export class ConsumerSpeed {
  #perSecond: number | undefined;
  #isMeasured = false;
  /** Samples in a row with a rate, and with more waiting than is read in a second, while something is read. */
  #ratedSamples = 0;
  #busySamples = 0;
  /** Of the samples that the rate is taken from. */
  #consumers: number[] = [];

  /** In entries per second, measured while more waited than was read; undefined: they were never that busy. */
  get measured(): number | undefined {
    return this.#isMeasured ? this.#perSecond : undefined;
  }

  /** The most that was read, in entries per second, busy or not; undefined: nothing was. */
  get seen(): number | undefined {
    return this.#perSecond;
  }

  note({ readPerSecond, lag }: GroupSample, consumers: number): void {
    this.#consumers = [...this.#consumers.slice(-RATE_SAMPLES), consumers];
    this.#ratedSamples = readPerSecond === undefined ? 0 : this.#ratedSamples + 1;
    const isReading = readPerSecond !== undefined && readPerSecond > 0;
    const isBusy = isReading && lag.kind !== 'unknown' && lag.entries > readPerSecond;
    this.#busySamples = isBusy ? this.#busySamples + 1 : 0;
    // Some who read while the rate was taken may be gone.
    const readers = Math.max(...this.#consumers);
    if (!isReading || readers === 0 || this.#ratedSamples <= RATE_SAMPLES) return;
    if (this.#busySamples > RATE_SAMPLES) {
      this.#isMeasured = true;
      // While they come and go, the rate is that of fewer than these.
      if (readers === Math.min(...this.#consumers)) this.#perSecond = (this.#perSecond ?? 0) * FADING;
    }
    this.#perSecond = Math.max(this.#perSecond ?? 0, readPerSecond / readers);
  }
}
