// The root entry needs the OpenTelemetry API and no SDK.
import stored from './stored.cjs';

for (const name of ['@opentelemetry/sdk-logs', '@opentelemetry/core', '@opentelemetry/api-logs']) {
  await stored.expectAbsent(name);
}
await import('./nest.mjs');
