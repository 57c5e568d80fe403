import { LEADING_FIELDS, OPTIONAL_FIELDS, toFieldName } from '../../codec/names.js';

/** A part of the record that is no attribute. */
export type OwnPart = 'level' | 'severity_text' | 'body' | 'trace' | 'span' | 'scope' | 'service' | 'event';

/** Where a value may be found in a map of attributes: under its whole name, or deeper in a map. */
export interface AttributePath {
  readonly name: string;
  /** The name of the stream field. */
  readonly field: string;
  /** The ways to read the name as a path, the longest first part first: `a.b` in `c`, then `a` in `b.c`. */
  readonly nested: readonly { readonly field: string; readonly name: string; readonly rest: string }[];
}

export type FieldRef =
  | { readonly kind: 'own'; readonly part: OwnPart }
  | {
      readonly kind: 'attribute';
      /** The first that is there counts. */
      readonly paths: readonly AttributePath[];
      /** Whether, and under which name, the resource is asked after them. */
      readonly resource: AttributePath | undefined;
    };

const OWN: ReadonlyMap<string, OwnPart> = new Map([
  ['level', 'level'],
  ['severity', 'level'],
  ['severity_number', 'level'],
  ['severity_text', 'severity_text'],
  ['body', 'body'],
  ['message', 'body'],
  ['msg', 'body'],
  ['trace', 'trace'],
  ['trace_id', 'trace'],
  ['traceId', 'trace'],
  ['span', 'span'],
  ['span_id', 'span'],
  ['spanId', 'span'],
  ['logger', 'scope'],
  ['context', 'scope'],
  ['scope', 'scope'],
  ['otel.scope.name', 'scope'],
  ['service', 'service'],
  ['service.name', 'service'],
  ['event', 'event'],
  ['event_name', 'event'],
  ['otel.event.name', 'event'],
]);

/** Short names of well-known attributes; an attribute that has the short name itself comes before. */
const SHORT: ReadonlyMap<string, readonly string[]> = new Map([
  ['status', ['http.response.status_code', 'http.status_code']],
  ['method', ['http.request.method', 'http.method']],
  ['route', ['http.route']],
  ['path', ['url.path']],
  ['host', ['host.name']],
  ['user', ['user.id']],
  ['env', ['deployment.environment.name']],
  ['version', ['service.version']],
  ['error', ['exception.type']],
]);

const ATTRIBUTES = 'attributes.';
const RESOURCE = 'resource.';

/** Names of our own that no query can ask for: the moment has options of its own, the others are bookkeeping. */
const NOT_SEARCHABLE: ReadonlySet<string> = new Set(
  [...LEADING_FIELDS, ...OPTIONAL_FIELDS, 'attributes'].filter((name) => !OWN.has(name)),
);

/** Undefined for a name that no query can ask for. */
export function resolveField(name: string): FieldRef | undefined {
  const part = OWN.get(name);
  if (part !== undefined) return { kind: 'own', part };
  if (NOT_SEARCHABLE.has(name)) return undefined;
  if (name.startsWith(ATTRIBUTES)) {
    return { kind: 'attribute', paths: [pathOf(name.slice(ATTRIBUTES.length))], resource: undefined };
  }
  const names = [name, ...(SHORT.get(name) ?? [])];
  const inResource = name.startsWith(RESOURCE) ? name.slice(RESOURCE.length) : (names[1] ?? name);
  return { kind: 'attribute', paths: names.map(pathOf), resource: pathOf(inResource) };
}

function pathOf(name: string): AttributePath {
  const nested: { field: string; name: string; rest: string }[] = [];
  for (let dot = name.lastIndexOf('.'); dot > 0; dot = name.lastIndexOf('.', dot - 1)) {
    const first = name.slice(0, dot);
    nested.push({ name: first, field: toFieldName(first), rest: name.slice(dot + 1) });
  }
  return { name, field: toFieldName(name), nested };
}
