import * as v from 'valibot';
import { isClusterConnection } from './connection.js';
import { layerEnvironment, type Layered } from './environment.js';
import { describeConnection, describeValue, nearest, Problems } from './problems.js';
import { GROUPS, MODULE_OPTIONS, UNKNOWN_KEY, WRITER_OPTIONS, type LOGGER_OPTIONS } from './schema.js';
import { defaultStreamOf, resolveService } from './service.js';
import { checkLists, checkRetention } from './retention.js';
import { isStreamName } from './stream-name.js';

type Schema = typeof WRITER_OPTIONS | typeof LOGGER_OPTIONS | typeof MODULE_OPTIONS;
type Issue = v.BaseIssue<unknown>;

export interface Request {
  readonly options: unknown;
  readonly environment: NodeJS.ProcessEnv;
}

export interface Validated<T extends Schema> {
  /** Options and environment together; what neither names is missing. */
  readonly given: v.InferOutput<T>;
  readonly resourceAttributes: ReadonlyMap<string, string>;
}

/** Options over environment, checked against one schema. Throws one RedisLogError with all that is wrong. */
export function readOptions<T extends Schema>(schema: T, request: Request): Validated<T> {
  const problems = new Problems();
  const known = Object.keys(schema.entries);
  const layered = layerEnvironment(
    givenObject(request.options, problems),
    request.environment,
    new Set(known),
  );
  const { resourceAttributes, sources } = layered;
  if (resourceAttributes === undefined) {
    const given = describeValue(request.environment['OTEL_RESOURCE_ATTRIBUTES']);
    problems.add(
      'OTEL_RESOURCE_ATTRIBUTES',
      `got ${given}. Give key=value pairs, percent-encoded, or unset it`,
    );
  }
  const parsed = v.safeParse(schema, layered.values);
  for (const issue of parsed.issues ?? []) {
    if (issue.message === UNKNOWN_KEY) addUnknownKey(issue, known, problems);
    else addIssue(issue, sources, problems);
  }
  const broken = new Set(parsed.issues?.map((issue) => issue.path?.[0]?.key));
  if (!broken.has('batch') && !broken.has('queue')) checkQueue(layered, problems);
  if (known.includes('stream')) checkDefaultStream(layered.values, problems);
  checkAcknowledge(layered.values, problems);
  checkRetention(layered.values, problems);
  checkLists(layered.values, problems);
  if (!parsed.success || resourceAttributes === undefined || !problems.isEmpty) throw problems.toError();
  return { given: parsed.output, resourceAttributes };
}

function givenObject(options: unknown, problems: Problems): object {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    problems.add('options', `got ${describeValue(options)}. Give an object, or leave it out`);
    return {};
  }
  return options;
}

function addIssue(issue: Issue, sources: Layered['sources'], problems: Problems): void {
  const path = pathOf(issue);
  const given = (path[0] === 'connection' ? describeConnection : describeValue)(issue.input);
  const wayOut = sourceOf(path, sources) === undefined ? 'leave it out' : 'unset it';
  problems.add(subjectOf(path, sources), `got ${given}. Give ${issue.message}, or ${wayOut}`);
}

function addUnknownKey(issue: Issue, known: readonly string[], problems: Problems): void {
  const path = pathOf(issue);
  const name = path.at(-1) ?? '';
  const group = path.length > 1 ? keysOf(path[0] ?? '') : known;
  problems.add(joined(path), `unknown option. ${adviceFor(name, path.length > 1, group)}`);
}

function adviceFor(name: string, isNested: boolean, siblings: readonly string[]): string {
  const similar = nearest(name, siblings);
  if (similar !== undefined) return `Did you mean ${similar}? If not, leave it out`;
  if (Object.hasOwn(MODULE_OPTIONS.entries, name)) {
    return isNested ? `${name} stands beside it, not inside` : 'Only RedisLogModule takes it: move it there';
  }
  const home = Object.keys(GROUPS).find((group) => !isNested && keysOf(group).includes(name));
  if (home !== undefined) return `Did you mean ${home}.${name}? If not, leave it out`;
  return `Leave it out; known here are ${siblings.join(', ')}`;
}

function keysOf(group: string): string[] {
  return Object.entries(GROUPS).flatMap(([name, entries]) => (name === group ? Object.keys(entries) : []));
}

/** A queue that cannot hold one batch could never send a full one. */
function checkQueue({ values, sources }: Layered, problems: Problems): void {
  for (const key of ['maxRecords', 'maxBytes']) {
    const queue = numberAt(values['queue'], key);
    const batch = numberAt(values['batch'], key);
    if (queue === undefined || batch === undefined || queue >= batch) continue;
    const batchSubject = subjectOf(['batch', key], sources);
    problems.add(
      subjectOf(['queue', key], sources),
      `got ${queue}. Give room for at least one batch, ${batch} by ${batchSubject}, or lower that`,
    );
  }
}

function numberAt(group: unknown, key: string): number | undefined {
  if (typeof group !== 'object' || group === null) return undefined;
  const value: unknown = Reflect.get(group, key);
  return typeof value === 'number' ? value : undefined;
}

/** WAIT speaks of what its own connection wrote, and a Cluster may redirect a batch to another one. */
function checkAcknowledge({ acknowledge, connection }: Layered['values'], problems: Problems): void {
  if (acknowledge !== 'replicated' && acknowledge !== 'fsynced') return;
  if (!isClusterConnection(connection)) return;
  problems.add(
    'acknowledge',
    `"${acknowledge}" cannot be had from a Cluster. Leave it out, or set min-replicas-to-write and appendfsync there`,
  );
}

/** Service names come from anywhere, and the default stream is named after the service. */
function checkDefaultStream(values: Layered['values'], problems: Problems): void {
  const { service, resource, stream, format } = values;
  const { entries } = WRITER_OPTIONS;
  if (typeof stream === 'string' || !v.is(entries.service, service) || !v.is(entries.resource, resource))
    return;
  const name = defaultStreamOf(resolveService(service ?? {}, resource), format);
  if (isStreamName(name)) return;
  const given = describeValue(name);
  problems.add(
    'stream',
    `the default ${given} has a "}" outside a hash tag. Give a stream, or another service.name`,
  );
}

function pathOf(issue: Issue): string[] {
  return (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : String(key)));
}

function sourceOf(path: readonly string[], sources: Layered['sources']): string | undefined {
  return sources.get(path.join('.')) ?? sources.get(path[0] ?? '');
}

function subjectOf(path: readonly string[], sources: Layered['sources']): string {
  const variable = sourceOf(path, sources);
  return variable === undefined ? joined(path) : `${variable} (${joined(path)})`;
}

/** Keys are texts of the user's too: what looks unlike a name is quoted, masked and cut. */
function joined(path: readonly string[]): string {
  const steps = path.map((step) => (/^[\w$*[\]-]{1,60}$/.test(step) ? step : describeValue(step)));
  return steps.join('.').replaceAll('.[', '[');
}
