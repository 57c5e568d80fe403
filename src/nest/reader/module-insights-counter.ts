import type { BeforeApplicationShutdown, OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { createDiagnostics, describeError } from '../../diagnostics.js';
import type { InsightsOptions, ResolvedWriterOptions } from '../../options/types.js';
import { InsightsCounter } from '../../reader/insights/insights-counter.js';

/**
 * Counts the messages of the application's own stream, where the option `insights` asks for it: from the application's
 * bootstrap to the first phase of its shutdown, as consumers do.
 */
export class ModuleInsightsCounter
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown
{
  readonly #counter: InsightsCounter;

  constructor(writer: ResolvedWriterOptions, insights: InsightsOptions) {
    const { connection, defaultStream: stream, partitions, sendTimeoutMs, shutdownTimeoutMs } = writer;
    const own = { connection, stream, partitions: partitions.count, sendTimeoutMs, shutdownTimeoutMs };
    this.#counter = new InsightsCounter({ ...own, ...insights });
  }

  onApplicationBootstrap(): void {
    this.#counter.run().catch((error: unknown) => {
      createDiagnostics().error('insights', `Messages are not counted: ${describeError(error)}`);
    });
  }

  async onModuleDestroy(): Promise<void> {
    await this.#counter.close();
  }

  /** Where an application is closed that was never initialised, the hook before is left out. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.#counter.close();
  }
}
