import {
  type CommonMessages,
  InsightsCounter,
  type InsightsCounterOptions,
  type LogInsights,
} from 'nestjs-redis-log/reader';
import { createDiagnostics } from '../../../src/diagnostics.js';
import { until } from '../../support/until.js';

export const STREAM = 'logs:orders';

/** A counter at work, and what it has said. */
export interface Counting extends AsyncDisposable {
  readonly counter: InsightsCounter;
  readonly lines: readonly string[];
  /** Resolves when so many records have been counted by it. */
  reaches(counted: number, timeoutMs?: number): Promise<void>;
}

export function startCounting(options: InsightsCounterOptions): Counting {
  const lines: string[] = [];
  const diagnostics = createDiagnostics({ write: (line) => lines.push(line) });
  const counter = new InsightsCounter({ stream: STREAM, ...options }, { diagnostics });
  const running = counter.run();
  return {
    counter,
    lines,
    reaches: async (counted, timeoutMs = 20_000) => {
      await until(() => counter.stats().counted >= counted, { timeoutMs, what: `${counted} records` });
    },
    [Symbol.asyncDispose]: async () => {
      await counter.close();
      await running;
    },
  };
}

/** Counts and templates, the most frequent first. */
export function table({ messages }: CommonMessages): [string, number][] {
  return messages.map(({ template, count }) => [template, count]);
}

/** Resolves with the messages when so many records of all services are in the counts. */
export async function whenCounted(insights: LogInsights, total: number, timeoutMs = 20_000): Promise<void> {
  await until(async () => (await insights.common(undefined, undefined, '1d')).total >= total, {
    timeoutMs,
    intervalMs: 50,
    what: `${total} records to be counted`,
  });
}

/** The entries of a test that writes them as another producer may: with ids, and so times of arrival, of its choice. */
export function entryOf(body: string, { severity = 9, service = 'orders' } = {}): string[] {
  const fields = { timestamp: '1790000000000000000', severity_number: `${severity}`, body };
  return Object.entries({ ...fields, 'service.name': service }).flat();
}
