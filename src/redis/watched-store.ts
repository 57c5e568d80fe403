import type { AppendReply, LogStore, PlainReply } from '../pipeline/ports.js';
import type { Runtime } from '../pipeline/runtime.js';

/** Told what the write path does, once per batch and never per record; for metrics. Neither may throw. */
export interface WriteWatch {
  /** A batch got its answer, or none in time. `errorType` is one word of few, and undefined where it was stored. */
  appended(durationMs: number, errorType: string | undefined): void;
  /** The connection has changed its state. */
  stateChanged(): void;
}

/** The same store, with somebody watching. */
export function watchedStore(store: LogStore, watch: WriteWatch, runtime: Runtime): LogStore {
  store.onState(() => watch.stateChanged());
  return new WatchedStore(store, watch, runtime);
}

class WatchedStore implements LogStore {
  readonly #store: LogStore;
  readonly #watch: WriteWatch;
  readonly #runtime: Runtime;

  constructor(store: LogStore, watch: WriteWatch, runtime: Runtime) {
    this.#store = store;
    this.#watch = watch;
    this.#runtime = runtime;
  }

  get state(): LogStore['state'] {
    return this.#store.state;
  }

  connect(): void {
    this.#store.connect();
  }

  open(...request: Parameters<LogStore['open']>): ReturnType<LogStore['open']> {
    return this.#store.open(...request);
  }

  async append(...request: Parameters<LogStore['append']>): Promise<AppendReply> {
    const start = this.#runtime.now();
    const reply = await this.#store.append(...request);
    if (request[0].batch !== undefined) this.#watch.appended(this.#runtime.now() - start, appendError(reply));
    return reply;
  }

  async appendPlain(...request: Parameters<LogStore['appendPlain']>): Promise<PlainReply> {
    const start = this.#runtime.now();
    const reply = await this.#store.appendPlain(...request);
    this.#watch.appended(this.#runtime.now() - start, plainError(reply));
    return reply;
  }

  sweep(stream: string): Promise<void> {
    return this.#store.sweep(stream);
  }

  close(): void {
    this.#store.close();
  }

  onState(...listener: Parameters<LogStore['onState']>): void {
    this.#store.onState(...listener);
  }
}

/** `refused` and `absent` are answers of the guard: nothing was written, and the batch is sent again. */
function appendError(reply: AppendReply): string | undefined {
  if (reply.status === 'written' || reply.status === 'already') return undefined;
  return 'failure' in reply ? reply.failure.token : `guard_${reply.status}`;
}

function plainError(reply: PlainReply): string | undefined {
  if (reply.status === 'failed') return reply.failure.token;
  return reply.failures.find((failure) => failure !== undefined)?.token;
}
