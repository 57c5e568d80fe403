import type { LogRecord } from '../record/log-record.js';
import type { QueryNode, QueryValue } from './query-language/ast.js';
import { parseQuery } from './query-language/parse.js';
import type { LogFilter } from './types.js';

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
