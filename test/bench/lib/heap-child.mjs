// A process whose records all wait: ours for a server that is not there, the SDK's for an export that never ends.
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { openRedisLog } from '../loggers/redis-log.mjs';
import { flood } from './load.mjs';
import { RESOURCE_ATTRIBUTES, SITES } from './records.mjs';

/** Port 1 refuses every connection. */
const NOBODY = 'redis://127.0.0.1:1';

export async function open({ sites: count }) {
  const sites = SITES.slice(0, count);
  return {
    async ours({ records }) {
      const ours = await openRedisLog({ redis: NOBODY, sites });
      return growth(ours, records, () => ours.logger.stats().queued);
    },
    sdk: ({ records }) => {
      const queue = new BatchLogRecordProcessor({
        exporter: { export() {}, forceFlush: async () => {}, shutdown: async () => {} },
        maxQueueSize: 1_000_000,
        maxExportBatchSize: 1_000_000,
        scheduledDelayMillis: 3_600_000,
      });
      const resource = resourceFromAttributes(RESOURCE_ATTRIBUTES);
      const provider = new LoggerProvider({ resource, processors: [queue] });
      const loggers = sites.map((site) => provider.getLogger(site.context));
      let emitted = 0;
      const log = (i) => {
        const site = sites[i % sites.length];
        const record = {
          severityNumber: 9,
          severityText: 'log',
          body: site.message(i),
          attributes: site.attributes(i),
        };
        loggers[i % sites.length].emit(record);
        emitted++;
      };
      return growth({ log }, records, () => emitted);
    },
  };
}

/** Bytes per record by which the heap and what hangs on it outside (buffers) grow. */
async function growth(logger, records, countOf) {
  await flood(logger, 1_000);
  const before = inUse();
  await flood(logger, records);
  const bytes = inUse() - before;
  if (countOf() !== records + 1_000) throw new Error(`${countOf()} records wait, not ${records + 1_000}`);
  return bytes / records;
}

function inUse() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
