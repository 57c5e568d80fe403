/** How a field is compared. `:` is the loose one: it ignores case and knows `*`; `=` is exact. */
export type QueryOperator = ':' | '=' | '>' | '>=' | '<' | '<=';

export type QueryValue =
  /** A bare word; between its parts, any text may stand (`*`). */
  | { readonly kind: 'word'; readonly parts: readonly string[] }
  /** A text in double quotes, taken as it is. */
  | { readonly kind: 'phrase'; readonly text: string }
  /** `/source/` or `/source/i`, in the syntax of RE2. */
  | { readonly kind: 'regex'; readonly source: string; readonly ignoreCase: boolean }
  /** `from..to`, both included; one of them may be left out. */
  | { readonly kind: 'range'; readonly from: string | undefined; readonly to: string | undefined };

export interface MatchNode {
  readonly type: 'match';
  /** As it was written; undefined for free text, which searches the body. */
  readonly field: string | undefined;
  readonly operator: QueryOperator;
  readonly value: QueryValue;
  /** Where the value stands in the text of the query, for messages. */
  readonly position: number;
}

/** A parsed query. The nodes of `and` and `or` are at least two. */
export type QueryNode =
  | { readonly type: 'all' }
  | { readonly type: 'and' | 'or'; readonly nodes: readonly QueryNode[] }
  | { readonly type: 'not'; readonly node: QueryNode }
  | { readonly type: 'has'; readonly field: string; readonly position: number }
  | MatchNode;

/** A field's name that needs no quotes. */
export const BARE_FIELD = /[\p{L}_@$][\p{L}\p{N}_.@$/-]*/uy;

/** A query may be no longer than this, in UTF-16 code units. */
export const MAX_QUERY_LENGTH = 10_000;

/** And no deeper: parentheses and NOT. */
export const MAX_QUERY_DEPTH = 100;

/** A regex is of no use beyond this, and costs time for every record. */
export const MAX_REGEX_LENGTH = 500;
