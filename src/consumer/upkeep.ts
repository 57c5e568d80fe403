import type { Diagnostics } from '../diagnostics.js';
import type { Runtime } from '../pipeline/runtime.js';
import { failureOf } from '../redis/failure.js';
import type { GroupStore } from '../redis/group-store.js';
import { isGone } from './gone.js';
import type { GroupKeeper } from './group-keeper.js';
import type { HeldEntries } from './held-entries.js';
import type { ResolvedConsumerOptions } from './options.js';

export interface UpkeepParts {
  readonly store: GroupStore;
  readonly held: HeldEntries;
  readonly keeper: GroupKeeper;
  readonly runtime: Runtime;
  readonly diagnostics: Diagnostics;
  readonly options: Pick<
    ResolvedConsumerOptions,
    'minIdleMs' | 'forgetConsumersAfterMs' | 'heartbeatMs' | 'stream'
  >;
  /** The name of this member of the group. */
  readonly consumer: string;
  /** Whether commands can be sent. */
  isReady(): boolean;
  /** Asks the server for a sign of life; where none comes, the connection is made again. */
  probe(): Promise<void>;
}

const CHUNK = 1_000;
const LOOK_MS = 5_000;

/**
 * What a consumer does beside its work, while handlers run: it renews what it holds, so that nobody takes it for dead,
 * sees to it that commands get answers, looks how far the group has come, and removes the names of consumers that are long gone and hold nothing.
 */
export class Upkeep {
  readonly #parts: UpkeepParts;
  #cancels: (() => void)[] = [];
  #isOver = false;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  start(): void {
    const { minIdleMs, forgetConsumersAfterMs, heartbeatMs } = this.#parts.options;
    this.#every(heartbeatMs, () => this.#parts.probe());
    this.#every(minIdleMs / 3, () => this.#renew());
    this.#every(Math.min(LOOK_MS, minIdleMs / 3), () => this.#parts.keeper.look());
    this.#every(forgetConsumersAfterMs / 2, () => this.#forgetOthers());
  }

  stop(): void {
    this.#isOver = true;
    for (const cancel of this.#cancels) cancel();
  }

  /** Not all consumers of a group at the same moment. */
  #every(periodMs: number, work: () => Promise<void>): void {
    const { runtime } = this.#parts;
    const slot = this.#cancels.push(() => {}) - 1;
    const again = (): void => {
      if (this.#isOver) return;
      this.#cancels[slot] = runtime.after(periodMs * (0.8 + runtime.random() * 0.2), () => void run());
    };
    const run = async (): Promise<void> => {
      if (this.#parts.isReady()) await work().catch((error: unknown) => this.#failed(error));
      again();
    };
    again();
  }

  /** Only what the server still has under our name: what another one took over meanwhile stays with that one. */
  async #renew(): Promise<void> {
    const { store, held } = this.#parts;
    if (held.size === 0) return;
    const owned = (await store.held()).map(({ id }) => id).filter((id) => held.stateOf(id) !== undefined);
    for (let at = 0; at < owned.length; at += CHUNK) await store.renew(owned.slice(at, at + CHUNK));
  }

  async #forgetOthers(): Promise<void> {
    const { store, options, consumer } = this.#parts;
    const silentMs = options.forgetConsumersAfterMs;
    for (const { name, pending, idleMs } of await store.consumers()) {
      if (name !== consumer && pending === 0 && idleMs >= silentMs) await store.forget(name, silentMs);
    }
  }

  #failed(error: unknown): void {
    if (isGone(error)) return this.#parts.keeper.lost();
    const failure = failureOf(error);
    if (failure.kind === 'retry') return;
    const { diagnostics, options } = this.#parts;
    diagnostics.warn(
      `consumer:upkeep:${options.stream}:${failure.token}`,
      `A consumer of stream ${options.stream} cannot look after its group: ${failure.text}.`,
    );
  }
}
