import type { MonitorConnection } from '../redis/monitor-connection.js';
import { reassign } from '../redis/monitor-actions.js';
import type { ConsumerSample, GroupSample } from './types.js';

/** What became of one idle consumer. */
export interface CleanedConsumer {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /**
   * `deleted`: it held nothing in the end. `active`: it came back meanwhile and was left alone. `gone`: somebody else
   * deleted it. `no-target`: no live consumer could take over what it holds, so it stays.
   */
  readonly outcome: 'deleted' | 'active' | 'gone' | 'no-target';
  /** Who took over its entries. */
  readonly to: string | undefined;
  readonly moved: number;
  /** Entries it held that the stream no longer has. */
  readonly missing: number;
}

/**
 * Removes the consumers of a group that have been idle for longer than `idleMs`, after the live consumer that holds
 * least has taken over what they held. A consumer is judged again by the server in the moment it is touched.
 */
export async function cleanGroup(
  connection: MonitorConnection,
  group: GroupSample,
  idleMs: number,
): Promise<CleanedConsumer[]> {
  const live = group.consumers
    .filter((consumer) => consumer.idleMs < idleMs)
    .map(({ name, pending }) => ({ name, pending }));
  const cleaned: CleanedConsumer[] = [];
  for (const idle of group.consumers.filter((consumer) => consumer.idleMs >= idleMs)) {
    const target = live.toSorted((a, b) => a.pending - b.pending)[0];
    const to = idle.pending === 0 ? undefined : target?.name;
    const names = { stream: group.stream, group: group.group };
    const result = await reassign(connection, { ...names, from: idle.name, to: target?.name, idleMs });
    if (target !== undefined) target.pending += result.moved;
    cleaned.push({
      ...names,
      consumer: idle.name,
      to: result.moved === 0 ? undefined : (to ?? target?.name),
      ...result,
    });
  }
  return cleaned;
}

/** Whether a consumer does its work, by the two simple rules of the Python package redis-streams. */
export type ConsumerHealth = 'OK' | 'TOO MANY PENDING' | 'IDLE';

export interface HealthLimits {
  /** A consumer that works in batches holds no more than one. Default 2, as there. */
  readonly batchSize?: number;
  /** Default 30,000, as there. */
  readonly idleMs?: number;
}

/** More pending entries than a batch comes first, then idleness; both limits may be met. */
export function consumerHealth(
  { pending, idleMs }: Pick<ConsumerSample, 'pending' | 'idleMs'>,
  limits: HealthLimits = {},
): ConsumerHealth {
  if (pending > (limits.batchSize ?? 2)) return 'TOO MANY PENDING';
  return idleMs > (limits.idleMs ?? 30_000) ? 'IDLE' : 'OK';
}
