import { knownResource } from './resource.js';
import { PRODUCER, RESOURCE_HASH, SEQ, SERVICE_NAME, type Template, VARIABLE } from './template.js';

/** What the batch knows and an entry does not. */
export interface EntryOrigin {
  readonly producer: string;
  readonly seq: number | undefined;
}

/** The values an entry carries, in the order of its template's variables. `bytes` starts behind the template id. */
export function entryValues(template: Template, bytes: Buffer): string[] {
  const values: string[] = [];
  let at = 0;
  for (let i = 0; i < template.variables; i++) {
    const headerEnd = bytes.indexOf(13, at);
    const size = Number(bytes.toString('latin1', at + 1, headerEnd));
    const start = headerEnd + 2;
    values.push(bytes.toString('utf8', start, start + size));
    at = start + size + 2;
  }
  return values;
}

/** The whole entry as name/value pairs: what XADD gets where no script puts it together. */
export function entryFields(template: Template, bytes: Buffer, origin: EntryOrigin): string[] {
  const values = entryValues(template, bytes);
  const pairs: string[] = [];
  let next = 0;
  for (const field of template.fields) {
    const value =
      field.value === VARIABLE ? (values[next++] ?? '') : constantValue(template, field.value, origin);
    pairs.push(field.name, value);
  }
  return pairs;
}

function constantValue(template: Template, value: string | symbol, origin: EntryOrigin): string {
  if (typeof value === 'string') return value;
  switch (value) {
    case RESOURCE_HASH:
      return template.resource === undefined ? '' : knownResource(template.resource).hash;
    case SERVICE_NAME:
      return serviceName(template);
    case PRODUCER:
      return origin.producer;
    case SEQ:
      return origin.seq === undefined ? '' : String(origin.seq);
    default:
      return '';
  }
}

/** `service.name` of the template's resource; empty where there is none. */
export function serviceName(template: Template): string {
  return template.resource === undefined ? '' : knownResource(template.resource).serviceName;
}
