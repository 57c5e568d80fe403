import { randomBytes } from 'node:crypto';

export interface DemoSettings {
  readonly redisUrl: string;
  /** The stream of the shop. This one and the next two are of this run alone. */
  readonly stream: string;
  /** The small copy of it for the screen. */
  readonly screenStream: string;
  /** The log of the ETL worker. */
  readonly etlLogStream: string;
  /** What becomes of the streams: they are deleted, kept, or gone with the demo's own server. */
  readonly afterwards: 'deleted' | 'kept' | 'gone';
}

type Environment = Record<string, string | undefined>;

/** Settings of the logger and of the OpenTelemetry SDK. */
const CONFIGURATION = /^(REDIS_LOG_|OTEL_|NEST_LOG_LEVEL$)/;

/**
 * Says where the demo writes, and sets the environment up for it: the shop runs with the defaults of the
 * package, whatever else is configured on this machine, and leaves the printing to the demo. Call it before
 * the SDK and the shop are loaded.
 */
export function prepareEnvironment(env: Environment): DemoSettings {
  const run = `shop-demo-${randomBytes(4).toString('hex')}`;
  const settings: DemoSettings = {
    redisUrl: env['REDIS_LOG_URL'] || env['REDIS_URL'] || 'redis://127.0.0.1:6379',
    stream: `logs:${run}`,
    screenStream: `screen:${run}`,
    etlLogStream: `etl:${run}`,
    afterwards: afterwards(env),
  };
  for (const name of Object.keys(env)) if (CONFIGURATION.test(name)) delete env[name];
  env['REDIS_LOG_URL'] = settings.redisUrl;
  env['REDIS_LOG_STREAM'] = settings.stream;
  env['REDIS_LOG_CONSOLE'] = 'false';
  return settings;
}

function afterwards(env: Environment): DemoSettings['afterwards'] {
  if (env['REDIS_LOG_DEMO_OWN_SERVER'] === '1') return 'gone';
  return env['REDIS_LOG_DEMO_KEEP'] ? 'kept' : 'deleted';
}
