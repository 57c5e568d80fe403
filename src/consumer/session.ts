import type { Diagnostics } from '../diagnostics.js';
import { RedisLogError } from '../errors.js';
import type { StoreState } from '../pipeline/ports.js';
import { MAX_DELAY_MS, type Runtime } from '../pipeline/runtime.js';
import { GroupLink } from '../redis/group-link.js';
import { GroupStore } from '../redis/group-store.js';
import { Acknowledger } from './acknowledger.js';
import { idsByDeliveries } from './by-deliveries.js';
import { DeadLetters } from './dead-letters.js';
import { Engine, type LogHandler } from './engine.js';
import { EntryDecoder } from './entry.js';
import { GroupKeeper } from './group-keeper.js';
import { HeldEntries, type HeldState } from './held-entries.js';
import { Intake, type UndecodableHandler } from './intake.js';
import type { ResolvedConsumerOptions } from './options.js';
import { Reports } from './reports.js';
import { Source } from './source.js';
import type { Counters } from './stats.js';
import { loadTelemetry } from './telemetry.js';
import { Upkeep } from './upkeep.js';

export interface SessionParts {
  readonly options: ResolvedConsumerOptions;
  /** Which of the consumer's streams. */
  readonly stream: string;
  /** The name in the group. */
  readonly consumer: string;
  readonly counters: Counters;
  readonly diagnostics: Diagnostics;
  readonly runtime: Runtime;
  readonly handler: LogHandler;
  readonly undecodable: UndecodableHandler | undefined;
}

/** Of the time to close, this much is for handing back, and no more than a quarter of it. */
const HAND_BACK_MS = 500;

/** One run of a consumer on one stream, from its connections to its end. */
export class Session {
  readonly #parts: SessionParts;
  readonly #held = new HeldEntries();
  readonly #reports: Reports;
  readonly #reading: GroupLink;
  readonly #commands: GroupLink;
  readonly #store: GroupStore;
  readonly #keeper: GroupKeeper;
  readonly #upkeep: Upkeep;
  #engine: Engine | undefined;
  #ended: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #unusable: string | undefined;

  constructor(parts: SessionParts) {
    const { counters, diagnostics, runtime, consumer } = parts;
    const options = { ...parts.options, stream: parts.stream };
    this.#parts = { ...parts, options };
    this.#reports = new Reports(diagnostics, options);
    this.#reading = this.#open('reader');
    this.#commands = this.#open('consumer');
    const links = { reading: this.#reading, commands: this.#commands };
    this.#store = new GroupStore(links, { ...options, consumer });
    const heldIds = (): string[] => this.#held.ids;
    this.#keeper = new GroupKeeper({ store: this.#store, options, diagnostics, counters, heldIds });
    this.#upkeep = new Upkeep({
      store: this.#store,
      held: this.#held,
      keeper: this.#keeper,
      runtime,
      diagnostics,
      options,
      consumer,
      isReady: () => this.#commands.state === 'ready',
      probe: () => this.#probe(),
    });
  }

  get held(): number {
    return this.#held.size;
  }

  async run(): Promise<void> {
    const telemetry = await loadTelemetry();
    if (this.#closing !== undefined) return;
    const { runtime } = this.#parts;
    const letExit = runtime.after(MAX_DELAY_MS, () => {}, true);
    try {
      await telemetry.isolate(async () => {
        const engine = this.#makeEngine(telemetry);
        this.#engine = engine;
        this.#upkeep.start();
        this.#ended = engine.run();
        this.#ended.catch(() => undefined);
        await this.#ended;
      });
      await this.#closed();
    } finally {
      letExit();
      this.#upkeep.stop();
      this.#reading.close();
      this.#commands.close();
    }
  }

  /** Set meanwhile by whoever closes. */
  async #closed(): Promise<void> {
    await (this.#closing ?? Promise.resolve());
  }

  close(timeoutMs: number): Promise<void> {
    return (this.#closing ??= this.#close(timeoutMs));
  }

  async #close(timeoutMs: number): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    const { runtime } = this.#parts;
    const deadline = runtime.now() + timeoutMs;
    engine.close();
    this.#reading.close();
    const handBackAt = timeoutMs - Math.min(HAND_BACK_MS, timeoutMs / 4);
    await this.#within(this.#finish(engine), handBackAt);
    engine.abort();
    this.#upkeep.stop();
    await this.#within(
      this.#handBack().catch(() => undefined),
      deadline - runtime.now(),
    );
    this.#commands.close();
    // Nothing is in our hands any more; what has no outcome comes again, here or elsewhere.
    this.#held.end();
  }

  async #finish(engine: Engine): Promise<void> {
    await engine.settled();
    // The engine may wait for a server that is away. Who holds nothing has nothing to tell it.
    if (this.#held.size === 0 && this.#commands.state !== 'ready') this.#commands.close();
    await this.#ended.catch(() => undefined);
    await engine.settled();
  }

  /** All that the server has under our name and that has no outcome: others may take it over at once. */
  async #handBack(): Promise<void> {
    const { options, counters } = this.#parts;
    const open = (await this.#store.held()).filter(({ id }) => this.#held.stateOf(id) !== 'handled');
    const counted = open.map(({ id, deliveries }) => ({
      id,
      deliveries: deliveriesAfter(this.#held.stateOf(id), deliveries, options.maxDeliveries),
    }));
    for (const [deliveries, ids] of idsByDeliveries(counted)) {
      await this.#store.handBack(ids, options.minIdleMs, deliveries);
    }
    counters.handedBack += open.length;
    // A read that was answered just as we left is no news; a handler that was not done in time is.
    const late = open.filter(({ id }) => this.#held.stateOf(id) === 'handling').length;
    if (late > 0) this.#reports.handedBack(late);
    await this.#store.forget(this.#parts.consumer, 0);
  }

  /** A small question that goes where all the others go, so that a link that is dead is found when nobody needs it. */
  async #probe(): Promise<void> {
    const { stream, group, heartbeatMs } = this.#parts.options;
    await this.#commands.call('xpending', [this.#commands.keys(stream).stream, group], heartbeatMs);
  }

  #makeEngine(telemetry: Awaited<ReturnType<typeof loadTelemetry>>): Engine {
    const { options, counters, diagnostics, runtime, handler, undecodable } = this.#parts;
    const [store, held, keeper, reports] = [this.#store, this.#held, this.#keeper, this.#reports];
    const isClosing = (): boolean => this.#closing !== undefined;
    const deadLetters = new DeadLetters({
      store,
      stream: options.stream,
      diagnostics,
      counters,
      settled: (ids) => keeper.acknowledged(ids),
    });
    const decoder = new EntryDecoder({ lookUp: (hashes) => store.resources(hashes), now: runtime.now });
    const trouble = reports.trouble.bind(reports);
    const { deduplicate } = options;
    const ready = (): Promise<void> => this.#ready(this.#commands);
    return new Engine({
      options,
      store,
      source: new Source({ store, held, runtime, counters, options, isClosing }),
      intake: new Intake({ store, decoder, held, keeper, deadLetters, counters, options, undecodable }),
      held,
      keeper,
      deadLetters,
      acknowledger: new Acknowledger({ store, held, keeper, runtime, counters, deduplicate, ready, trouble }),
      runtime,
      counters,
      telemetry,
      handler,
      ready: async () => {
        await ready();
        await this.#ready(this.#reading);
      },
      trouble,
      handlerFailed: (error) => reports.handlerFailed(error),
      doubtful: (doubt) => reports.doubtful(doubt),
      misnamed: () => reports.misnamed(),
      works: () => reports.works(),
    });
  }

  #open(role: 'reader' | 'consumer'): GroupLink {
    const { options, runtime } = this.#parts;
    return new GroupLink({
      connection: options.connection,
      connectionName: `nestjs-redis-log-${role}`,
      runtime,
      timeoutMs: options.sendTimeoutMs,
      state: (state, reason) => this.#changed(state, reason),
    });
  }

  #changed(state: StoreState, reason: string | undefined): void {
    if (state === 'closed' && reason !== undefined) this.#unusable = reason;
    if (state === 'ready') this.#keeper.reconnected();
    this.#reports.connection(state, reason);
  }

  async #ready(link: GroupLink): Promise<void> {
    await link.settled();
    if (link.state === 'ready') return;
    const subject = 'connection';
    if (this.#unusable === undefined) {
      throw new RedisLogError('REDIS_LOG_CLOSED', 'This consumer is closed.', { subject });
    }
    throw new RedisLogError('REDIS_LOG_MISSING_PEER', this.#unusable, { subject });
  }

  async #within(work: Promise<void>, ms: number): Promise<void> {
    let cancel = (): void => {};
    const timeUp = new Promise<void>((resolve) => {
      cancel = this.#parts.runtime.after(Math.max(0, ms), resolve, true);
    });
    await Promise.race([work, timeUp]);
    cancel();
  }
}

/**
 * As how often delivered a record is handed back. What never reached a handler was not delivered to anybody. A handler
 * that had no time to finish has not failed, so many a stop wears out no record; yet the next one sees that it is not the
 * first. And whatever happened, one more handler gets it.
 */
function deliveriesAfter(state: HeldState | undefined, deliveries: number, maxDeliveries: number): number {
  if (state === undefined) return Math.max(0, deliveries - 1);
  return Math.min(state === 'handling' ? Math.max(1, deliveries - 1) : deliveries, maxDeliveries - 1);
}
