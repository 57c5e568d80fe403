import { parseLevel } from './levels.js';

type Fields = Record<string, unknown>;
type Path = readonly [option: string, key?: string | undefined];

interface Variable {
  /** The first that is set and not empty counts. */
  readonly names: readonly string[];
  readonly option: string;
  readonly key?: string;
  /** What cannot be understood stays a text, which the validation of the option then refuses. */
  readonly parse: (text: string) => unknown;
}

const asIs = (text: string): unknown => text;
const word = (text: string): unknown => text.toLowerCase();
const level = (text: string): unknown => parseLevel(text) ?? text;
const directory = (text: string): unknown => (text.toLowerCase() === 'false' ? false : { directory: text });
const outputOrFalse = (text: string): unknown => (text.toLowerCase() === 'false' ? false : word(text));

function integer(text: string): unknown {
  return /^-?\d{1,16}$/.test(text) ? Number(text) : text;
}

function flag(text: string): unknown {
  const lower = text.toLowerCase();
  if (lower === 'true' || lower === '1') return true;
  return lower === 'false' || lower === '0' ? false : text;
}

/** OTEL_BLRP_* are those of the OpenTelemetry SDK specification, "Batch LogRecord Processor". */
const VARIABLES: readonly Variable[] = [
  { names: ['REDIS_LOG_URL', 'REDIS_URL'], option: 'connection', parse: asIs },
  { names: ['OTEL_SERVICE_NAME'], option: 'service', key: 'name', parse: asIs },
  { names: ['REDIS_LOG_STREAM'], option: 'stream', parse: asIs },
  { names: ['REDIS_LOG_PARTITIONS'], option: 'partitions', parse: integer },
  { names: ['REDIS_LOG_MAX_LENGTH'], option: 'retention', key: 'maxLength', parse: integer },
  { names: ['REDIS_LOG_MAX_AGE_MS'], option: 'retention', key: 'maxAgeMs', parse: integer },
  { names: ['OTEL_BLRP_MAX_EXPORT_BATCH_SIZE'], option: 'batch', key: 'maxRecords', parse: integer },
  { names: ['OTEL_BLRP_SCHEDULE_DELAY'], option: 'batch', key: 'maxDelayMs', parse: integer },
  { names: ['OTEL_BLRP_MAX_QUEUE_SIZE'], option: 'queue', key: 'maxRecords', parse: integer },
  { names: ['OTEL_BLRP_EXPORT_TIMEOUT'], option: 'sendTimeoutMs', parse: integer },
  { names: ['REDIS_LOG_SHUTDOWN_TIMEOUT_MS'], option: 'shutdownTimeoutMs', parse: integer },
  { names: ['REDIS_LOG_DELIVERY'], option: 'delivery', parse: word },
  { names: ['REDIS_LOG_SPOOL'], option: 'spool', parse: directory },
  { names: ['REDIS_LOG_FORMAT'], option: 'format', parse: word },
  { names: ['REDIS_LOG_LEVEL', 'NEST_LOG_LEVEL'], option: 'level', parse: level },
  { names: ['REDIS_LOG_CONSOLE'], option: 'console', parse: outputOrFalse },
  { names: ['REDIS_LOG_ENABLED'], option: 'enabled', parse: flag },
];

/** Which part of `service` stands under which name in OTEL_RESOURCE_ATTRIBUTES. */
const SERVICE_ATTRIBUTES: readonly (readonly [attribute: string, key: string])[] = [
  ['service.name', 'name'],
  ['service.version', 'version'],
  ['service.namespace', 'namespace'],
  ['service.instance.id', 'instanceId'],
  ['deployment.environment.name', 'environment'],
];

export interface Layered {
  /** The options as given, and below them what the environment says, not yet validated. */
  readonly values: Fields;
  /** Option path to the environment variable its value comes from. */
  readonly sources: ReadonlyMap<string, string>;
  /** What OTEL_RESOURCE_ATTRIBUTES holds; undefined when it cannot be parsed. */
  readonly resourceAttributes: ReadonlyMap<string, string> | undefined;
}

/** Lays options over the environment; `undefined` counts as not given. Only the `known` options are looked up. */
export function layerEnvironment(
  options: object,
  environment: NodeJS.ProcessEnv,
  known: ReadonlySet<string>,
): Layered {
  const values: Fields = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const sources = new Map<string, string>();
  const set = (variable: string, value: unknown, path: Path): void => {
    const [option, key] = path;
    if (known.has(option) && setMissing(values, value, path)) {
      sources.set(key === undefined ? option : `${option}.${key}`, variable);
    }
  };
  for (const { names, option, key, parse } of VARIABLES) {
    const name = names.find((candidate) => read(environment, candidate) !== '');
    if (name !== undefined) set(name, parse(read(environment, name)), [option, key]);
  }
  const described = known.has('service') ? read(environment, 'OTEL_RESOURCE_ATTRIBUTES') : '';
  const resourceAttributes = parseResourceAttributes(described);
  for (const [attribute, key] of SERVICE_ATTRIBUTES) {
    const value = resourceAttributes?.get(attribute) ?? '';
    if (value !== '') set('OTEL_RESOURCE_ATTRIBUTES', value, ['service', key]);
  }
  const mode = read(environment, 'NODE_ENV');
  if (mode !== '') set('NODE_ENV', mode, ['service', 'environment']);
  return { values, sources, resourceAttributes };
}

function read(environment: NodeJS.ProcessEnv, name: string): string {
  return environment[name]?.trim() ?? '';
}

/** False when there is a value already, or something in the place of the group that takes no keys. */
function setMissing(values: Fields, value: unknown, [option, key]: Path): boolean {
  const current = values[option];
  if (key === undefined) {
    if (current !== undefined) return false;
    values[option] = value;
    return true;
  }
  if (current !== undefined && (typeof current !== 'object' || current === null || Array.isArray(current))) {
    return false;
  }
  const group: Fields = { ...current };
  if (group[key] !== undefined) return false;
  values[option] = { ...group, [key]: value };
  return true;
}

/**
 * `key=value` pairs with commas between them, both percent-encoded (OpenTelemetry resource SDK, "Specifying
 * resource information via an environment variable"). One bad pair spoils the text, as the specification asks.
 */
function parseResourceAttributes(text: string): ReadonlyMap<string, string> | undefined {
  const attributes = new Map<string, string>();
  try {
    for (const pair of text.split(',')) {
      if (pair.trim() === '') continue;
      const equals = pair.indexOf('=');
      const key = decodeURIComponent(pair.slice(0, Math.max(equals, 0)).trim());
      if (key === '') return undefined;
      attributes.set(key, decodeURIComponent(pair.slice(equals + 1).trim()));
    }
    return attributes;
  } catch {
    return undefined;
  }
}
