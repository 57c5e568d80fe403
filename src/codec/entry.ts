import { knownResource } from './resource.js';
import { type FieldValue, PRODUCER, RESOURCE_HASH, SERVICE_NAME, type Template } from './template.js';

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

/** The value of a field that is the same for all records of a template and a producer. */
export function constantValue(template: Template, value: FieldValue, producer: string): string {
  switch (value) {
    case RESOURCE_HASH:
      return template.resource === undefined ? '' : knownResource(template.resource).hash;
    case SERVICE_NAME:
      return template.resource === undefined ? '' : knownResource(template.resource).serviceName;
    case PRODUCER:
      return producer;
    default:
      return typeof value === 'string' ? value : '';
  }
}
