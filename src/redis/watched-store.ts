import { GUARD_IS_LOST } from '../pipeline/opening-waits.js';
import type { AppendReply, LogStore, OpenReply, PlainReply } from '../pipeline/ports.js';
import type { Runtime } from '../pipeline/runtime.js';

/** One is a guard that was lost, or a format whose entries cannot be looked for. */
const FEW_LOST_GUARDS = 3;

/** Told what the write path does, once per batch and never per record; for metrics. Neither may throw. */
export interface WriteWatch {
  /** Something was sent to Redis that it has to answer. */
  sending?(): void;
  /** It has answered, or the time for that is up. */
  answered?(): void;
  /** A request without records failed: nothing can be stored for now. `errorType` as of {@link appended}. */
  refused?(errorType: string): void;
  /** A batch got its answer, or none in time. `errorType` is one word of few, and undefined where it was stored. */
  appended(durationMs: number, errorType: string | undefined): void;
  /** The connection has changed its state. */
  stateChanged(): void;
}

/** The same store, with somebody watching. */
export function watchedStore(
  store: LogStore,
  watching: readonly (WriteWatch | undefined)[],
  runtime: Runtime,
): LogStore {
  const watches = watching.filter((watch) => watch !== undefined);
  for (const watch of watches) store.onState(() => watch.stateChanged());
  return new WatchedStore(store, watches, runtime);
}

class WatchedStore implements LogStore {
  readonly #store: LogStore;
  readonly #watches: readonly WriteWatch[];
  readonly #runtime: Runtime;
  /** Answers since the last batch was stored that said that nobody can tell what is there. */
  #lostGuards = 0;

  constructor(store: LogStore, watches: readonly WriteWatch[], runtime: Runtime) {
    this.#store = store;
    this.#watches = watches;
    this.#runtime = runtime;
  }

  get state(): LogStore['state'] {
    return this.#store.state;
  }

  connect(): void {
    this.#store.connect();
  }

  async open(...request: Parameters<LogStore['open']>): Promise<OpenReply> {
    const reply = await this.#watched(() => this.#store.open(...request));
    if (reply.status === 'failed') this.#refused(reply.failure.token);
    if (reply.status === 'cannot-tell' && ++this.#lostGuards > FEW_LOST_GUARDS)
      this.#refused(GUARD_IS_LOST.token);
    return reply;
  }

  async append(...request: Parameters<LogStore['append']>): Promise<AppendReply> {
    const start = this.#runtime.now();
    const reply = await this.#watched(() => this.#store.append(...request));
    if (request[0].batch !== undefined) this.#appended(start, appendError(reply));
    else if (reply.status === 'failed') this.#refused(reply.failure.token);
    return reply;
  }

  async appendPlain(...request: Parameters<LogStore['appendPlain']>): Promise<PlainReply> {
    const start = this.#runtime.now();
    const reply = await this.#watched(() => this.#store.appendPlain(...request));
    this.#appended(start, plainError(reply));
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

  /** Requests settle always, and never reject. */
  async #watched<T>(request: () => Promise<T>): Promise<T> {
    for (const watch of this.#watches) watch.sending?.();
    const reply = await request();
    for (const watch of this.#watches) watch.answered?.();
    return reply;
  }

  #refused(errorType: string): void {
    for (const watch of this.#watches) watch.refused?.(errorType);
  }

  #appended(start: number, errorType: string | undefined): void {
    if (errorType === undefined) this.#lostGuards = 0;
    const durationMs = this.#runtime.now() - start;
    for (const watch of this.#watches) watch.appended(durationMs, errorType);
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
