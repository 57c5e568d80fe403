import type { Resource } from '../record/log-record.js';
import { bulk } from './resp-writer.js';

/**
 * What all records of one call site share: the names of their fields, and every value that does not change
 * (severity, scope, service). A queued record then holds only its own values, and a batch carries each template
 * once: that is most of what makes a record small in memory, cheap to encode and cheap to send.
 *
 * Terminology: a *constant* field has its value here; a *variable* one gets it from each entry; `resource`,
 * `producer` and `seq` are filled in when the batch is made, since detectors may still be pending at the call.
 *
 * The symbols are the same in every copy of the package: what sends is loaded late, and may then be of another copy.
 */
export const VARIABLE = Symbol.for('nestjs-redis-log.variable');
export const RESOURCE_HASH = Symbol.for('nestjs-redis-log.resource');
export const SERVICE_NAME = Symbol.for('nestjs-redis-log.service.name');
export const PRODUCER = Symbol.for('nestjs-redis-log.producer');
export const SEQ = Symbol.for('nestjs-redis-log.seq');

export type FieldValue =
  string | typeof VARIABLE | typeof RESOURCE_HASH | typeof SERVICE_NAME | typeof PRODUCER | typeof SEQ;

export interface Field {
  readonly name: string;
  readonly value: FieldValue;
}

/** `stream`: one entry of name/value pairs. `list`: one item, the single variable. */
export type Target = 'stream' | 'list';

let lastId = 0;

export class Template {
  /** Unique in the process; entries carry it so that the script knows how to put them together. */
  readonly id: string;
  readonly fields: readonly Field[];
  readonly resource: Resource | undefined;
  /** How many values an entry of this template carries. */
  readonly variables: number;
  /** The id as a bulk string: the first bytes of every entry. */
  readonly idBytes: Buffer;

  /** `id`: only for templates of an earlier process, whose entries carry it. */
  constructor(fields: readonly Field[], resource: Resource | undefined, id: string = String(++lastId)) {
    this.id = id;
    this.fields = fields;
    this.resource = resource;
    this.variables = fields.reduce((count, field) => count + (field.value === VARIABLE ? 1 : 0), 0);
    this.idBytes = bulk(this.id);
  }
}
