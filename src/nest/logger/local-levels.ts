import type { ResolvedWriterOptions } from '../../options/types.js';
import type { Level } from '../../record/severity.js';
import {
  checkLevelChange,
  DEFAULT_MS,
  type FleetLevel,
  RedisLogLevels,
} from '../../redis/redis-log-levels.js';
import type { LevelChanges } from './level-changes.js';

/**
 * Levels of this process alone, which end with it: in tests, and where logging to Redis is turned off. A test must not
 * change the levels of a real fleet.
 */
export class LocalLevels extends RedisLogLevels {
  readonly #changes: LevelChanges;

  constructor(options: ResolvedWriterOptions, changes: LevelChanges) {
    super(options);
    this.#changes = changes;
  }

  override async set(
    context: string,
    level: Level,
    options: { readonly forMs?: number } = {},
  ): Promise<void> {
    checkLevelChange(context, level, options);
    this.#changes.set({ context, level, remainingMs: options.forMs ?? DEFAULT_MS });
  }

  override async clear(context?: string): Promise<void> {
    if (context === undefined) this.#changes.replace([]);
    else this.#changes.clear(context);
  }

  override async list(): Promise<FleetLevel[]> {
    return this.#changes.list();
  }
}
