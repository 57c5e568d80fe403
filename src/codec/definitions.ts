import type { Resource } from '../record/log-record.js';
import { decodeResource, encodeResource } from './resource.js';
import {
  type Field,
  type FieldValue,
  PRODUCER,
  RESOURCE_HASH,
  SEQ,
  SERVICE_NAME,
  Template,
  VARIABLE,
} from './template.js';

/** How the special values of a template are written down; a plain text is an array of one. */
const MARKS = new Map<FieldValue, string>([
  [VARIABLE, 'v'],
  [RESOURCE_HASH, 'r'],
  [SERVICE_NAME, 'n'],
  [PRODUCER, 'p'],
  [SEQ, 's'],
]);
const VALUES = new Map([...MARKS].map(([value, mark]): [string, FieldValue] => [mark, value]));

interface Definition {
  readonly id: string;
  readonly resource?: string;
  readonly fields: readonly (readonly [name: string, value: string | readonly [string]])[];
}

/** Templates as text, for entries that outlive the process that encoded them. */
export function writeDefinitions(templates: readonly Template[]): string {
  const definitions = templates.map(({ id, fields, resource }): Definition => {
    const written = fields.map(({ name, value }): Definition['fields'][number] => [
      name,
      MARKS.get(value) ?? [String(value)],
    ]);
    return resource === undefined
      ? { id, fields: written }
      : { id, resource: encodeResource(resource).text, fields: written };
  });
  return JSON.stringify(definitions);
}

/** The templates by id, as entries name them. Throws on a text that is none of ours. */
export function readDefinitions(text: string): Map<string, Template> {
  const templates = new Map<string, Template>();
  for (const definition of JSON.parse(text) as readonly Definition[]) {
    const fields = definition.fields.map(([name, value]): Field => {
      const special = typeof value === 'string' ? VALUES.get(value) : value[0];
      if (special === undefined) throw new TypeError('unknown kind of field');
      return { name, value: special };
    });
    templates.set(definition.id, new Template(fields, resourceOf(definition), definition.id));
  }
  return templates;
}

function resourceOf(definition: Definition): Resource | undefined {
  return definition.resource === undefined ? undefined : decodeResource(definition.resource);
}
