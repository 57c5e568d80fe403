import { createHash } from 'node:crypto';
import { constantValue } from '../codec/entry.js';
import { encodeResource } from '../codec/resource.js';
import { bulk, RespWriter } from '../codec/resp-writer.js';
import { SEQ, type Target, type Template, VARIABLE } from '../codec/template.js';
import type { Batch } from '../pipeline/batch.js';
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
  return scriptCall({ script: SCRIPT_SHA, keys, producer }, values, { batch, target });
}

/** The distinct resources of a batch's records. */
export function resourcesOf(templates: readonly Template[]): Set<Resource> {
  const resources = new Set<Resource>();
  for (const template of templates) if (template.resource !== undefined) resources.add(template.resource);
  return resources;
}

/** A template as the script reads it. */
interface Definition {
  readonly producer: string;
  readonly target: Target;
  readonly bytes: Buffer;
  /** How many values these are. */
  readonly count: number;
}

/** The last definition of each template; its producer and target hardly ever change. */
const definitions = new WeakMap<Template, Definition>();

function definitionOf(template: Template, producer: string, target: Target): Definition {
  const known = definitions.get(template);
  if (known?.producer === producer && known.target === target) return known;
  const values = definitionValues(template, producer, target);
  const made = { producer, target, bytes: Buffer.concat(values.map(bulk)), count: values.length };
  // Detectors that are still out will change the resource, and its hash with it.
  if (template.resource?.asyncAttributesPending !== true) definitions.set(template, made);
  return made;
}

/** Id, number of fields, their kinds (c constant, v variable, s number), then names and constants. */
function definitionValues(template: Template, producer: string, target: Target): string[] {
  let kinds = '';
  const values: string[] = [];
  for (const { name, value } of template.fields) {
    if (target === 'stream') values.push(name);
    if (value === VARIABLE) kinds += 'v';
    else if (value === SEQ) kinds += 's';
    else {
      kinds += 'c';
      values.push(constantValue(template, value, producer));
    }
  }
  return [template.id, String(template.fields.length), kinds, ...values];
}

const header = new RespWriter();

function scriptCall(
  call: { readonly script: string; readonly keys: StreamKeys; readonly producer: string },
  values: readonly string[],
  entries?: { readonly batch: Batch; readonly target: Target },
): ScriptCall {
  const { script, keys, producer } = call;
  const name = script === SCRIPT_SHA ? 'evalsha' : 'eval';
  const routed = [script, '4', keys.stream, keys.guard(producer), keys.resources, keys.resourcesSeen];
  const parts = entries?.batch.templates.map((each) => definitionOf(each, producer, entries.target)) ?? [];
  let count = 1 + routed.length + values.length;
  for (const part of parts) count += part.count;
  if (entries !== undefined) count += entries.batch.values + entries.batch.count;
  header.reset();
  header.array(count);
  header.text(name);
  for (const value of routed) header.text(value);
  for (const value of values) header.text(value);
  for (const { bytes } of parts) header.raw(bytes);
  const head = header.bytes.subarray(0, header.length);
  return { name, args: routed, bytes: entries?.batch.behind(head) ?? Buffer.from(head) };
}
