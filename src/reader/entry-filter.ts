import { decodeLogRecord } from '../codec/decode.js';
import type { LogRecord } from '../record/log-record.js';
import type { StreamEntry } from '../redis/range-reader.js';
import type { QueryNode, QueryValue } from './query-language/ast.js';
import { compileViewTest, type ViewTest } from './query-language/compile.js';
import { parseQuery } from './query-language/parse.js';
import { EntryView } from './query-language/view.js';
import type { LogEntry, LogFilter, MalformedLogEntry } from './types.js';

export interface FilterParts {
  readonly node: QueryNode;
  /** The query as it was written, for messages about it. */
  readonly text: string | undefined;
  readonly where: ((record: LogRecord) => boolean) | undefined;
}

/**
 * The options of a filter as one query, and the function if there is one.
 *
 * @throws RedisLogError `REDIS_LOG_QUERY_SYNTAX`
 */
export function filterParts({ level, where, text, traceId }: LogFilter): FilterParts {
  const nodes: QueryNode[] = [];
  if (traceId !== undefined) nodes.push(match('trace', '=', traceId.toLowerCase()));
  if (level !== undefined) nodes.push(match('level', '>=', String(level)));
  if (typeof where === 'object') nodes.push(where);
  if (typeof where === 'string') nodes.push(parseQuery(where));
  if (text !== undefined) nodes.push(match(undefined, ':', text));
  const wanted = nodes.filter((node) => node.type !== 'all');
  const [first = { type: 'all' }] = wanted;
  return {
    node: wanted.length > 1 ? { type: 'and', nodes: wanted } : first,
    text: typeof where === 'string' ? where : undefined,
    where: typeof where === 'function' ? where : undefined,
  };
}

function match(field: string | undefined, operator: ':' | '=' | '>=', text: string): QueryNode {
  const value: QueryValue = { kind: 'phrase', text };
  return { type: 'match', field, operator, value, position: 0 };
}

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
