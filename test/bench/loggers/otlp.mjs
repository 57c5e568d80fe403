// OpenTelemetry's own way: the SDK's batch processor and the OTLP/HTTP protobuf exporter.
import { SeverityNumber } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { RESOURCE_ATTRIBUTES } from '../lib/records.mjs';
import { useAsyncContext } from './context.mjs';

export function openOtlp({ sink, sites }) {
  useAsyncContext();
  const exporter = new CountingExporter({ url: `${sink}/v1/logs` });
  // Its default of 2,048 would drop most of a flood, and what is dropped costs nothing.
  const processor = new BatchLogRecordProcessor({ exporter, maxQueueSize: 100_000 });
  const provider = new LoggerProvider({
    resource: resourceFromAttributes(RESOURCE_ATTRIBUTES),
    processors: [processor],
  });
  const loggers = sites.map((site) => provider.getLogger(site.context));
  let emitted = 0;
  return {
    log(i) {
      const at = i % sites.length;
      emitted++;
      loggers[at].emit({
        severityNumber: SeverityNumber.INFO,
        severityText: 'log',
        body: sites[at].message(i),
        attributes: sites[at].attributes(i),
      });
    },
    async settled() {
      // A flush while an export is running may leave records behind: those that came after it began.
      for (let tries = 0; exporter.delivered < emitted && tries < 100; tries++) await provider.forceFlush();
      if (exporter.delivered !== emitted) {
        throw new Error(`OTLP delivered ${exporter.delivered} of ${emitted} records`);
      }
    },
    close: () => provider.shutdown(),
  };
}

class CountingExporter extends OTLPLogExporter {
  delivered = 0;

  export(records, resultCallback) {
    super.export(records, (result) => {
      if (result.code === 0) this.delivered += records.length;
      resultCallback(result);
    });
  }
}
