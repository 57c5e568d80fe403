import type { Format, StreamEncoder } from '../options/types.js';
import type { LogRecord } from '../record/log-record.js';
import { type EntryEncoder, FieldsEncoder } from './entry-encoder.js';
import { recordJson } from './plain-object.js';
import { plumelogItem } from './plumelog.js';
import type { RespWriter } from './resp-writer.js';
import { type Field, type Target, Template, VARIABLE } from './template.js';

/** Templates of an encoder whose field names change all the time are not worth keeping. */
const MAX_TEMPLATES = 1_000;

/** Told why an encoder of the user's gave nothing that can be stored; the record is set aside. */
export type FormatProblem = (reason: string) => void;

/** The encoder of a format. `problem` is only called for one of the user's own. */
export function entryEncoder(
  format: Format,
  attributes: 'fields' | 'json' | readonly string[],
  problem: FormatProblem,
): EntryEncoder {
  switch (format) {
    case 'fields':
      return new FieldsEncoder(attributes);
    case 'json':
      return new ItemEncoder('stream', recordJson);
    case 'list':
      return new ItemEncoder('list', recordJson);
    case 'plumelog':
      return new ItemEncoder('list', plumelogItem);
    default:
      return new CustomEncoder(format, problem);
  }
}

/** One text a record: a list item, or the field `log` of a stream entry. */
class ItemEncoder implements EntryEncoder {
  readonly target: Target;
  readonly searchable = false;
  readonly #encode: (record: LogRecord) => string;
  readonly #template = new Template([{ name: 'log', value: VARIABLE }], undefined);

  constructor(target: Target, encode: (record: LogRecord) => string) {
    this.target = target;
    this.#encode = encode;
  }

  encode(record: LogRecord, out: RespWriter): Template {
    out.reset();
    out.text(this.#encode(record));
    return this.#template;
  }
}

/** The user's own format, held to its word. */
class CustomEncoder implements EntryEncoder {
  readonly target: Target;
  readonly searchable = false;
  readonly #encoder: StreamEncoder;
  readonly #problem: FormatProblem;
  readonly #templates = new Map<string, Template>();

  constructor(encoder: StreamEncoder, problem: FormatProblem) {
    this.target = encoder.target;
    this.#encoder = encoder;
    this.#problem = problem;
  }

  encode(record: LogRecord, out: RespWriter): Template {
    const values = this.#values(record);
    out.reset();
    if (this.target === 'list') {
      out.text(values[0] as string);
      return this.#template([{ name: 'item', value: VARIABLE }]);
    }
    const fields: Field[] = [];
    for (let i = 0; i < values.length; i += 2) {
      fields.push({ name: values[i] as string, value: VARIABLE });
      out.text(values[i + 1] as string);
    }
    return this.#template(fields);
  }

  #values(record: LogRecord): readonly string[] {
    let given: unknown;
    try {
      given = this.#encoder.encode(record);
    } catch (error) {
      this.#problem(`encode() threw ${error instanceof Error ? error.name : typeof error}`);
      throw error;
    }
    const values: unknown = this.target === 'list' && !Array.isArray(given) ? [given] : given;
    const reason = shapeProblem(values, this.target);
    if (reason === undefined) return values as string[];
    this.#problem(reason);
    throw new TypeError(reason);
  }

  #template(fields: readonly Field[]): Template {
    const key = fields.map((field) => `${field.name.length}:${field.name}`).join();
    let template = this.#templates.get(key);
    if (template === undefined) {
      if (this.#templates.size >= MAX_TEMPLATES) this.#templates.clear();
      template = new Template(fields, undefined);
      this.#templates.set(key, template);
    }
    return template;
  }
}

function shapeProblem(values: unknown, target: Target): string | undefined {
  if (!Array.isArray(values) || !values.every((value) => typeof value === 'string')) {
    return target === 'list' ? 'encode() must return a string' : 'encode() must return an array of strings';
  }
  if (target === 'list')
    return values.length === 1 ? undefined : 'encode() must return one string for a list';
  if (values.length === 0 || values.length % 2 === 1)
    return 'encode() must return name/value pairs, at least one';
  return values.length > 2_000 ? 'encode() returned more than 1,000 fields' : undefined;
}
