import type { Diagnostics } from '../diagnostics.js';
import type { Runtime } from '../pipeline/runtime.js';
import { RangeReader } from '../redis/range-reader.js';
import type { QueryPlan } from './log-query.js';
import type { TailPlan } from './log-tail.js';
import type { ResolvedReaderOptions } from './options.js';
import { QueryRun } from './query-run.js';
import { ResourceCache } from './resource-cache.js';
import { TailRun } from './tail-run.js';

export interface ReaderParts {
  readonly options: ResolvedReaderOptions;
  readonly runtime: Runtime;
  readonly diagnostics: Diagnostics;
  /** Unix time in milliseconds. */
  readonly clock: () => number;
}

/** What a reader is made of once it reads: one connection for all queries, and one for each tail. */
export class ReaderEngine {
  readonly #parts: ReaderParts;
  readonly #resources: ResourceCache;
  #reader: RangeReader | undefined;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#resources = new ResourceCache(() => parts.runtime.now());
  }

  query(plan: QueryPlan): QueryRun {
    this.#reader ??= this.#connect('reader');
    return new QueryRun({ reader: this.#reader, resources: this.#resources }, plan);
  }

  tail(plan: TailPlan, ended: () => void): TailRun {
    const { diagnostics, clock } = this.#parts;
    const open = (): RangeReader => this.#connect('tail');
    return new TailRun({ open, resources: this.#resources, diagnostics, clock, ended }, plan);
  }

  /** Ends the connection of the queries. */
  close(): void {
    this.#reader?.close();
  }

  #connect(purpose: string): RangeReader {
    const { connection, requestTimeoutMs } = this.#parts.options;
    const connectionName = `nestjs-redis-log-${purpose}`;
    return new RangeReader({ connection, connectionName, requestTimeoutMs, runtime: this.#parts.runtime });
  }
}
