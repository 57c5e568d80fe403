import { SetMetadata } from '@nestjs/common';
import type { LogConsumerOptions } from '../../consumer/options.js';

/** Options of {@link OnLogs}: those of `LogConsumer`; `connection` and `stream` are by default the module's own
 * (a stream must be named where the module has a function for it). */
export type OnLogsOptions = Omit<LogConsumerOptions, 'service'>;

const METADATA = 'nestjs-redis-log:on-logs';

/**
 * Makes a method of a provider or controller the handler of a consumer group: it is called with a `LogBatch` of the
 * stream's records, from the application's bootstrap to its shutdown. When it resolves, the batch is acknowledged; with a
 * list of entry ids, only these are; when it throws, the records come again. Stand it twice for two groups or streams.
 *
 * @example
 * \@OnLogs({ group: 'etl', batchSize: 200, maxWaitMs: 2_000 })
 * async store(batch: LogBatch): Promise<void> {
 *   await this.sink.upsert(batch.entries.map(({ key, record }) => ({ key, text: String(record.body) })));
 * }
 */
export function OnLogs(options: OnLogsOptions): MethodDecorator {
  return (target, name, descriptor) => {
    const all = [options, ...onLogsOf(descriptor.value as object)];
    SetMetadata(METADATA, all)(target, name, descriptor);
  };
}

/** What was said of a method, in the order in which it stands there. */
export function onLogsOf(method: object): readonly OnLogsOptions[] {
  return (Reflect.getMetadata(METADATA, method) as OnLogsOptions[] | undefined) ?? [];
}
