import { hostname } from 'node:os';
import type { Attributes, Resource } from '../record/log-record.js';
import { ownPackage } from './package-json.js';
import type { ResolvedWriterOptions, ServiceOptions } from './types.js';

type Service = ResolvedWriterOptions['service'];
type Given = { readonly [K in keyof ServiceOptions]?: ServiceOptions[K] | undefined };

/** The name OpenTelemetry gives to a service that has none: resource semantic conventions, `service.name`. */
const UNKNOWN_SERVICE = 'unknown_service:node';

const INSTANCE_ID = Symbol.for('nestjs-redis-log.instance-id');

/** On `globalThis`, because a process may hold this package twice and still is one instance. */
function instanceId(): string {
  const existing: unknown = Reflect.get(globalThis, INSTANCE_ID);
  if (typeof existing === 'string') return existing;
  const created = crypto.randomUUID();
  Reflect.set(globalThis, INSTANCE_ID, created);
  return created;
}

/** A complete service: what was given, else what `resource` says, else what the package.json says. */
export function resolveService(given: Given, resource: Resource | undefined): Service {
  const named = given.name ?? text(resource?.attributes['service.name']);
  const own = named === undefined ? ownPackage() : undefined;
  const version = given.version ?? text(resource?.attributes['service.version']) ?? own?.version;
  const { namespace, environment } = given;
  return {
    name: named ?? own?.name ?? UNKNOWN_SERVICE,
    ...(version === undefined ? {} : { version }),
    ...(namespace === undefined ? {} : { namespace }),
    instanceId: given.instanceId ?? instanceId(),
    ...(environment === undefined ? {} : { environment }),
  };
}

/** The list that a Plumelog server reads; it looks at no other. */
const PLUMELOG_LIST = 'plume_log_list';

/** Where records go when nobody names a stream. */
export function defaultStreamOf(service: Service, format: unknown): string {
  return format === 'plumelog' ? PLUMELOG_LIST : `logs:${service.name}`;
}

/** The resource of a service on this machine; `others` are the attributes that the environment adds. */
export function describeResource(service: Service, others: ReadonlyMap<string, string>): Resource {
  const attributes = new Map<string, unknown>([
    ['service.name', service.name],
    ['service.version', service.version],
    ['service.namespace', service.namespace],
    ['service.instance.id', service.instanceId],
    ['deployment.environment.name', service.environment],
    ['host.name', others.get('host.name') ?? hostname()],
    ['process.pid', process.pid],
    ['telemetry.sdk.language', 'nodejs'],
  ]);
  for (const [name, value] of others) {
    if (!attributes.has(name)) attributes.set(name, value);
  }
  const present: Attributes = Object.fromEntries([...attributes].filter(([, value]) => value !== undefined));
  return { attributes: present };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
