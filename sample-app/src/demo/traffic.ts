import { Worker } from 'node:worker_threads';

/** Enough to see something move, and little enough to read it. */
export const REQUESTS_PER_SECOND = 40;
/** What the shop logs then, as measured. */
export const RECORDS_PER_SECOND = 75;

export interface TrafficSettings {
  readonly baseUrl: string;
  readonly perSecond: number;
}

export interface SentRequest {
  /** The `x-request-id` it was sent with. */
  readonly id: string;
  /** Undefined where there was no answer. */
  readonly status: number | undefined;
}

/** What the worker tells; the last news has the requests. */
export interface TrafficNews {
  readonly sent: number;
  readonly requests?: readonly SentRequest[];
}

/** Real HTTP requests to the shop, made in a worker until they are stopped. */
export class Traffic {
  readonly #worker: Worker;
  readonly #requests: Promise<readonly SentRequest[]>;
  /** Resolves when no more requests are sent, for whatever reason. */
  readonly ended: Promise<void>;
  #sent = 0;

  constructor(settings: TrafficSettings) {
    // Without what this process preloads by its command line: the customers have no instrumentation of the shop's.
    this.#worker = new Worker(new URL('./traffic-worker.js', import.meta.url), {
      workerData: settings,
      execArgv: [],
    });
    this.#requests = this.#listen();
    // A failure is heard by whoever stops the traffic.
    this.ended = this.#requests.then(
      () => {},
      () => {},
    );
  }

  /** Requests so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends no more, waits for what is on its way, and returns every request of the run. */
  async stop(): Promise<readonly SentRequest[]> {
    this.#worker.postMessage('stop');
    try {
      return await this.#requests;
    } finally {
      await this.#worker.terminate();
    }
  }

  #listen(): Promise<readonly SentRequest[]> {
    return new Promise((resolve, reject) => {
      this.#worker.once('error', reject);
      this.#worker.once('exit', () => reject(new Error('The traffic ended by itself.')));
      this.#worker.on('message', ({ sent, requests }: TrafficNews) => {
        this.#sent = sent;
        if (requests !== undefined) resolve(requests);
      });
    });
  }
}
