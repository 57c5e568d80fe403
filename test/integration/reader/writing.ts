import { RedisLogWriter } from '../../../src/core.js';
import type { LogInput } from '../../../src/redis/log-writer.js';
import type { ConnectionOptions } from '../../../src/options/types.js';

/** Writes records through the package's own writer, and waits until all are stored. */
export async function write(
  where: { readonly connection: ConnectionOptions; readonly stream: string },
  inputs: readonly LogInput[],
): Promise<void> {
  await using writer = new RedisLogWriter({ ...where, service: { name: 'orders', version: '1.2' } });
  for (const input of inputs) writer.emit(input);
  const { pending, unconfirmed } = await writer.flush();
  if (pending + unconfirmed > 0) throw new Error('The records were not stored.');
}

/** Numbered records: bodies `prefix 0`, `prefix 1`, and so on. */
export function numbered(prefix: string, count: number): LogInput[] {
  return Array.from({ length: count }, (_, index) => ({ body: `${prefix} ${index}`, severityNumber: 9 }));
}

export async function bodies(
  entries: AsyncIterable<{ record: { body?: unknown } }>,
  count = Infinity,
): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const { record } of entries) if (all.push(record.body) >= count) break;
  return all;
}
