import { RedisLogError } from '../../errors.js';

/** So much of a long query is shown on each side of the place that is wrong. */
const SHOWN = 60;

/** An error in the text of a query: what is wrong, and below it the query with a caret at the place. */
export function syntaxError(query: string, position: number, what: string): RedisLogError {
  const message = query === '' ? what : `${what}\n${excerpt(query, position)}`;
  return new RedisLogError('REDIS_LOG_QUERY_SYNTAX', message, { subject: 'where', position });
}

function excerpt(query: string, position: number): string {
  const start = Math.max(0, position - SHOWN);
  const end = Math.min(query.length, position + SHOWN);
  const before = start > 0 ? '...' : '';
  const after = end < query.length ? '...' : '';
  // A control character would take the caret to another column, or the line apart.
  const shown = query.slice(start, end).replace(/\p{C}|\p{Zl}|\p{Zp}/gu, ' ');
  return `  ${before}${shown}${after}\n  ${' '.repeat(before.length + position - start)}^`;
}
