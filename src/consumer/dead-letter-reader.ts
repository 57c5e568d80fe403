import { systemRuntime } from '../pipeline/runtime.js';
import type { LogRecord } from '../record/log-record.js';
import type { GroupLink } from '../redis/group-link.js';
import { type RawEntry, readEntries, readTexts } from '../redis/group-replies.js';
import { DEAD_LETTER_FIELDS, PACKED_FIELD, UNPACK } from '../redis/group-scripts.js';
import { EntryDecoder } from './entry.js';

/** A record that a group set aside. */
export interface DeadLetter {
  /** Its id among the dead letters. */
  readonly id: string;
  /** The id that its entry had in the stream. */
  readonly entryId: string;
  readonly group: string;
  /** The consumer that set it aside. */
  readonly consumer: string;
  /** `undecodable`, `max-deliveries`, or `rejected` (by DeadLetterError). */
  readonly reason: string;
  /** Name and first line of the last error. */
  readonly error: string;
  /** How often it was handed out. */
  readonly deliveryCount: number;
  /** `undefined` where it cannot be decoded. */
  readonly record: LogRecord | undefined;
  /** The entry as it was: names and values in one list. */
  readonly fields: readonly string[];
}

/** A dead letter as it is stored: its entry may be packed, and nobody has looked into it. */
export type StoredLetter = Omit<DeadLetter, 'record'>;

const PAGE = 100;

/** The dead letters of one stream. */
export class DeadLetterReader {
  readonly stream: string;
  readonly #link: GroupLink;
  readonly #decoder: EntryDecoder;

  constructor(link: GroupLink, stream: string) {
    this.#link = link;
    this.stream = stream;
    this.#decoder = new EntryDecoder({
      lookUp: async (hashes) => readTexts(await link.call('hmget', [link.keys(stream).resources, ...hashes])),
      now: systemRuntime.now,
    });
  }

  /** All that are there now, and none that come meanwhile: what fails again must not be tried without end. */
  async *letters(): AsyncGenerator<StoredLetter> {
    const { deadLetters } = this.#link.keys(this.stream);
    const newest = await this.#link.call('xrevrange', [deadLetters, '+', '-', 'COUNT', 1]);
    const last = readEntries(newest).entries[0]?.id;
    let after = '-';
    while (last !== undefined) {
      const page = await this.#link.call('xrange', [deadLetters, after, last, 'COUNT', PAGE]);
      const { entries } = readEntries(page);
      for (const entry of entries) {
        const letter = letterOf(entry);
        if (letter !== undefined) yield letter;
      }
      const end = entries.at(-1)?.id;
      if (end === undefined || entries.length < PAGE) return;
      after = `(${end}`;
    }
  }

  /** The letter with the fields of its entry as they were, and what they say; undefined when it is gone. */
  async open(stored: StoredLetter): Promise<DeadLetter | undefined> {
    const fields = await this.#unpacked(stored);
    if (fields.length === 0) return undefined;
    const { entryId: id, deliveryCount: deliveries } = stored;
    const { entries } = await this.#decoder.decode([{ id, fields, deliveries }]);
    return { ...stored, record: entries[0]?.record, fields };
  }

  async #unpacked({ id, fields }: StoredLetter): Promise<readonly string[]> {
    if (fields[0] !== PACKED_FIELD) return fields;
    const keys = [this.#link.keys(this.stream).deadLetters];
    return (await this.#link.run({ script: UNPACK, keys, args: [id] })) as string[];
  }
}

function letterOf({ id, fields }: RawEntry): StoredLetter | undefined {
  if (fields[0] !== DEAD_LETTER_FIELDS[0]) return undefined;
  const text = (name: (typeof DEAD_LETTER_FIELDS)[number]): string =>
    fields[2 * DEAD_LETTER_FIELDS.indexOf(name) + 1] ?? '';
  return {
    id,
    entryId: text('@dlq.id'),
    group: text('@dlq.group'),
    consumer: text('@dlq.consumer'),
    reason: text('@dlq.reason'),
    error: text('@dlq.error'),
    deliveryCount: Number(text('@dlq.deliveries')),
    fields: fields.slice(2 * DEAD_LETTER_FIELDS.length),
  };
}
