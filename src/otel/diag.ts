import { diag } from '@opentelemetry/api';
import { subscribe } from 'node:diagnostics_channel';
import { DIAGNOSTICS_CHANNEL, type DiagnosticEvent } from '../diagnostics.js';

const FED = Symbol.for('nestjs-redis-log.diag-is-fed');

/** OpenTelemetry's own channel for such things hears what we say of ourselves; once per process. */
export function feedDiag(): void {
  const holder = globalThis as { [FED]?: true };
  if (holder[FED]) return;
  holder[FED] = true;
  subscribe(DIAGNOSTICS_CHANNEL, (event) => {
    const { level, message } = event as DiagnosticEvent;
    diag[level](`nestjs-redis-log: ${message}`);
  });
}
