import { decodeLogRecord } from '../codec/decode.js';
import type { StreamEntry } from '../redis/range-reader.js';
import type { FilterParts } from './filter-parts.js';
import { compileViewTest, type ViewTest } from './query-language/compile.js';
import { EntryView } from './query-language/view.js';
import type { LogEntry, MalformedLogEntry } from './types.js';

export interface EntryFilterParts extends FilterParts {
  readonly resourceText: (hash: string) => string | undefined;
  onMalformed(entry: MalformedLogEntry): void;
}

/** Looks at an entry's fields first, and decodes only what is wanted. */
export class EntryFilter {
  readonly #parts: EntryFilterParts;
  readonly #view: EntryView;
  readonly #test: ViewTest;

  static async compile(parts: EntryFilterParts): Promise<EntryFilter> {
    return new EntryFilter(parts, await compileViewTest(parts.node, parts.text));
  }

  private constructor(parts: EntryFilterParts, test: ViewTest) {
    this.#parts = parts;
    this.#view = new EntryView(parts.resourceText);
    this.#test = test;
  }

  /** False for what the query rules out. An entry that breaks the contract passes, for `decode` to say so. */
  passes({ fields }: StreamEntry): boolean {
    try {
      this.#view.fields = fields;
      return this.#test(this.#view);
    } catch {
      return true;
    }
  }

  /** Undefined for what is malformed, or what the function of the user's rules out. */
  decode({ id, fields }: StreamEntry, stream: string): LogEntry | undefined {
    const { resourceText, where, onMalformed } = this.#parts;
    const decoded = decodeLogRecord(fields, { resource: resourceText });
    if (decoded.status === 'malformed') {
      onMalformed({ id, stream, reason: decoded.reason });
      return undefined;
    }
    const { record, producer, seq, missingResource } = decoded;
    if (where !== undefined && !where(record)) return undefined;
    return { id, stream, record, producer, seq, missingResource };
  }
}
