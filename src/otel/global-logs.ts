import * as api from '@opentelemetry/api';
import { createDiagnostics, type Diagnostics } from '../diagnostics.js';
import { GlobalLoggerProvider, type RecordSink } from './global-logs-provider.js';

/**
 * Where all copies of `@opentelemetry/api-logs` of one process look for the provider: a function that is given the
 * version of the API asked for, which has been 1 ever since (its `internal/global-utils`).
 */
const API_LOGS = Symbol.for('io.opentelemetry.js.api.logs');
const API_LOGS_VERSION = 1;

const ADVICE =
  'Give that SDK new RedisBatchLogRecordProcessor({ exporter }) as one of its log record processors instead.';

/**
 * Takes in what libraries log through the global Logs API of OpenTelemetry, without an SDK: pino, bunyan, winston and
 * others with their OpenTelemetry instrumentation or transport. Both generations of the API are served,
 * `@opentelemetry/api` from 1.10 on and `@opentelemetry/api-logs` 0.2xx, which the SDK 3 leaves out.
 *
 * Call it before those libraries make their loggers. The records carry the exporter's resource and the span that is
 * active; their values are copied, and made storable where they are not. Where somebody else is registered already,
 * that is said on stderr, and nobody is replaced.
 *
 * @returns a function that takes the registration back.
 *
 * @example
 * registerGlobalLogs(exporter);
 * winston.createLogger({ transports: [new OpenTelemetryTransportV3()] }).info('in the same stream');
 */
export function registerGlobalLogs(
  exporter: RecordSink,
  around: { readonly diagnostics?: Diagnostics } = {},
): () => void {
  const diagnostics = around.diagnostics ?? createDiagnostics();
  const provider = new GlobalLoggerProvider(exporter);
  const leaveApi = joinApi(provider, diagnostics);
  const leaveApiLogs = joinApiLogs(provider, diagnostics);
  return () => {
    provider.close();
    leaveApi();
    leaveApiLogs();
  };
}

function joinApi(provider: GlobalLoggerProvider, diagnostics: Diagnostics): () => void {
  // Before 1.10 it has no logs.
  const { logs } = api as Partial<typeof api>;
  if (logs === undefined) return () => undefined;
  if (!logs.setGlobalLoggerProvider(provider)) {
    const text = `The global LoggerProvider of @opentelemetry/api is another one, and stays; was an SDK started before? ${ADVICE}`;
    diagnostics.warn('global-logs:api', text);
  }
  return () => {
    if (logs.getLoggerProvider() === provider) logs.disable();
  };
}

function joinApiLogs(provider: GlobalLoggerProvider, diagnostics: Diagnostics): () => void {
  if (Reflect.get(globalThis, API_LOGS) !== undefined) {
    const text = `The global LoggerProvider of @opentelemetry/api-logs is another one, and stays. ${ADVICE}`;
    diagnostics.warn('global-logs:api-logs', text);
    return () => undefined;
  }
  Reflect.set(globalThis, API_LOGS, () => provider);
  let reset: (() => void) | undefined;
  void adoptEarlierLoggers(provider).then((taken) => {
    reset = taken;
  });
  return () => {
    if (registeredWithApiLogs() !== provider) return;
    Reflect.deleteProperty(globalThis, API_LOGS);
    reset?.();
  };
}

function registeredWithApiLogs(): unknown {
  const getter: unknown = Reflect.get(globalThis, API_LOGS);
  return typeof getter === 'function' ? (getter(API_LOGS_VERSION) as unknown) : undefined;
}

/**
 * A logger that was made before the registration asks its own copy of the package and not the global place. So the copy
 * that we can load, which is most often the only one, registers the provider itself.
 */
async function adoptEarlierLoggers(provider: GlobalLoggerProvider): Promise<(() => void) | undefined> {
  try {
    const { logs } = await import('@opentelemetry/api-logs');
    if (registeredWithApiLogs() !== provider) return undefined;
    Reflect.deleteProperty(globalThis, API_LOGS);
    logs.setGlobalLoggerProvider(provider);
    return () => logs.disable();
  } catch {
    // Not installed: then nobody has made a logger with it.
    return undefined;
  }
}
