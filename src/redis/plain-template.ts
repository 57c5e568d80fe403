import { constantValue } from '../codec/entry.js';
import { bulk } from '../codec/resp-writer.js';
import { SEQ, type Target, type Template, VARIABLE } from '../codec/template.js';
import { bulkEnd, type CommandWriter, MAX_INTEGER_BYTES, viewOf } from './command-writer.js';

/** What the commands of one producer for one stream have in common. */
export interface PlainTarget {
  readonly target: Target;
  /** The stream's key, or the list's. */
  readonly key: string;
  readonly producer: string;
}

/** One record: its values from `at` on, and its number. */
export interface PlainRecord {
  readonly values: DataView;
  readonly at: number;
  readonly seq: number;
}

/** A template as a command of its own: the bytes that never change, with slots for what each record brings. */
export class PlainTemplate {
  /** No record's command is longer than its values and this. */
  readonly overhead: number;
  /** One more than there are slots: what stands before each of them, and behind the last. */
  readonly #literals: readonly DataView[];
  /** True where the record's number goes, false where its next value does. */
  readonly #isSeq: readonly boolean[];

  constructor(template: Template, { target, key, producer }: PlainTarget) {
    const isStream = target === 'stream';
    const words = isStream ? ['xadd', key, '*'] : ['rpush', key];
    const count = words.length + template.fields.length * (isStream ? 2 : 1);
    const literals: Buffer[] = [];
    const isSeq: boolean[] = [];
    let parts = [Buffer.from(`*${count}\r\n`), ...words.map(bulk)];
    for (const { name, value } of template.fields) {
      if (isStream) parts.push(bulk(name));
      if (value !== VARIABLE && value !== SEQ) {
        parts.push(bulk(constantValue(template, value, producer)));
        continue;
      }
      literals.push(Buffer.concat(parts));
      isSeq.push(value === SEQ);
      parts = [];
    }
    literals.push(Buffer.concat(parts));
    this.#literals = literals.map(viewOf);
    this.#isSeq = isSeq;
    this.overhead = literals.reduce((sum, { length }) => sum + length, MAX_INTEGER_BYTES);
  }

  /** Writes the command of one record: XADD with names and values, or RPUSH with the values alone. */
  write(record: PlainRecord, out: CommandWriter): void {
    const { values, seq } = record;
    const literals = this.#literals;
    const isSeq = this.#isSeq;
    let at = record.at;
    for (let slot = 0; slot < isSeq.length; slot++) {
      const literal = literals[slot] as DataView;
      out.copy(literal, 0, literal.byteLength);
      if (isSeq[slot]) {
        out.integer(seq);
        continue;
      }
      const end = bulkEnd(values, at);
      out.copy(values, at, end);
      at = end;
    }
    const last = literals[isSeq.length] as DataView;
    out.copy(last, 0, last.byteLength);
  }
}
