import { createHash } from 'node:crypto';
import { serviceName } from '../codec/entry.js';
import { encodeResource } from '../codec/resource.js';
import { RespWriter } from '../codec/resp-writer.js';
import {
  PRODUCER,
  RESOURCE_HASH,
  SEQ,
  SERVICE_NAME,
  type Target,
  type Template,
  VARIABLE,
} from '../codec/template.js';
import type { Resource } from '../record/log-record.js';
import type { AppendRequest, OpenRequest } from '../pipeline/ports.js';
import type { StreamKeys } from './keys.js';
import { SCRIPT } from './script.js';

export const SCRIPT_SHA = createHash('sha1').update(SCRIPT).digest('hex');

/** A guard lives this long from its last use (design, decision 6). */
const GUARD_TTL_MS = 7 * 24 * 3_600_000;
/** How many entries OPEN looks through for the producer's last one: about 20 ms of the server's time. */
const SEARCH_BOUND = 10_000;

export interface TrimLimits {
  readonly maxLength: number | undefined;
  readonly maxAgeMs: number | undefined;
}

/** One call of the script, complete as bytes. */
export interface ScriptCall {
  readonly name: 'eval' | 'evalsha';
  /** What routing needs: the script, the number of keys, the keys. */
  readonly args: string[];
  readonly bytes: Buffer;
}

export function openCall(request: OpenRequest, keys: StreamKeys, target: Target): ScriptCall {
  const values = [
    'open',
    target,
    String(GUARD_TTL_MS),
    request.producer,
    String(request.epoch),
    request.history,
    request.from || '0-0',
    String(request.shed),
    request.searchable ? '1' : '0',
    String(SEARCH_BOUND),
  ];
  return scriptCall({ script: SCRIPT, keys, producer: request.producer }, values);
}

export function sweepCall(keys: StreamKeys): ScriptCall {
  return scriptCall({ script: SCRIPT, keys, producer: '' }, ['sweep', 'stream']);
}

export function appendCall(
  request: AppendRequest,
  keys: StreamKeys,
  format: { target: Target; trim: TrimLimits },
): ScriptCall {
  const { batch, producer } = request;
  const { target, trim } = format;
  const values = [
    'append',
    target,
    String(GUARD_TTL_MS),
    producer,
    String(request.epoch),
    String(request.prev),
    String(batch?.first ?? request.prev + 1),
    String(batch?.count ?? 0),
    String(request.holes),
    String(request.shed),
    trim.maxLength === undefined ? '' : String(trim.maxLength),
    trim.maxAgeMs === undefined ? '' : String(trim.maxAgeMs),
  ];
  if (batch === undefined) return scriptCall({ script: SCRIPT_SHA, keys, producer }, values);
  const resources = resourcesOf(batch.templates);
  values.push(String(resources.size));
  for (const resource of resources) {
    const { hash, text } = encodeResource(resource);
    values.push(hash, text);
  }
  values.push(String(batch.templates.length));
  for (const template of batch.templates) pushDefinition(template, { producer, target }, values);
  const entries = { bytes: batch.payload, values: batch.values + batch.count };
  return scriptCall({ script: SCRIPT_SHA, keys, producer }, values, entries);
}

/** The distinct resources of a batch's records. */
export function resourcesOf(templates: readonly Template[]): Set<Resource> {
  const resources = new Set<Resource>();
  for (const template of templates) if (template.resource !== undefined) resources.add(template.resource);
  return resources;
}

/** Id, number of fields, their kinds (c constant, v variable, s number), then names and constants. */
function pushDefinition(
  template: Template,
  origin: { producer: string; target: Target },
  values: string[],
): void {
  values.push(template.id, String(template.fields.length));
  const kinds = values.push('') - 1;
  for (const { name, value } of template.fields) {
    if (origin.target === 'stream') values.push(name);
    if (value === VARIABLE) {
      values[kinds] += 'v';
      continue;
    }
    if (value === SEQ) {
      values[kinds] += 's';
      continue;
    }
    values[kinds] += 'c';
    values.push(constant(template, value, origin.producer));
  }
}

function constant(template: Template, value: string | symbol, producer: string): string {
  if (typeof value === 'string') return value;
  if (value === PRODUCER) return producer;
  if (value === SERVICE_NAME) return serviceName(template);
  if (value === RESOURCE_HASH && template.resource !== undefined)
    return encodeResource(template.resource).hash;
  return '';
}

const header = new RespWriter();

function scriptCall(
  target: { readonly script: string; readonly keys: StreamKeys; readonly producer: string },
  values: readonly string[],
  entries?: { readonly bytes: Buffer; readonly values: number },
): ScriptCall {
  const { script, keys, producer } = target;
  const name = script === SCRIPT_SHA ? 'evalsha' : 'eval';
  const routed = [script, '4', keys.stream, keys.guard(producer), keys.resources, keys.resourcesSeen];
  header.reset();
  header.text(name);
  for (const value of routed) header.text(value);
  for (const value of values) header.text(value);
  const count = 1 + routed.length + values.length + (entries?.values ?? 0);
  const start = Buffer.from(`*${count}\r\n`);
  const parts = [start, header.bytes.subarray(0, header.length)];
  if (entries !== undefined) parts.push(entries.bytes);
  return { name, args: routed, bytes: Buffer.concat(parts) };
}
