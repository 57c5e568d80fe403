import { RedisLogError } from '../../errors.js';
import {
  MAX_QUERY_DEPTH,
  MAX_QUERY_LENGTH,
  MAX_REGEX_LENGTH,
  type MatchNode,
  type QueryNode,
  type QueryOperator,
  type QueryValue,
} from './ast.js';
import { checkField, checkFlags, checkFreeText, checkMatch } from './check.js';
import { Scanner } from './scanner.js';
import { syntaxError } from './syntax-error.js';

/**
 * Parses a query such as `level>=warn http.route:/orders/* -user.id:42 "card declined"`; docs/reading.md describes the
 * language. The empty text matches everything.
 *
 * @throws RedisLogError `REDIS_LOG_QUERY_SYNTAX` with `position`, and a message that shows the place.
 */
export function parseQuery(text: string): QueryNode {
  if (typeof text !== 'string') {
    throw new RedisLogError('REDIS_LOG_QUERY_SYNTAX', 'A query is a text.', {
      subject: 'where',
      position: 0,
    });
  }
  if (text.length > MAX_QUERY_LENGTH) {
    throw syntaxError(text, MAX_QUERY_LENGTH, `A query has at most ${MAX_QUERY_LENGTH} characters.`);
  }
  return new Parser(text).parse();
}

class Parser {
  readonly #scanner: Scanner;
  #depth = 0;

  constructor(text: string) {
    this.#scanner = new Scanner(text);
  }

  parse(): QueryNode {
    const scanner = this.#scanner;
    scanner.skipSpace();
    if (scanner.isAtEnd) return { type: 'all' };
    const node = this.#or();
    if (!scanner.isAtEnd) throw this.#error('There is no "(" for this ")".');
    return node;
  }

  #or(): QueryNode {
    const nodes = [this.#and()];
    while (this.#takeKeyword('OR')) nodes.push(this.#and());
    return join('or', nodes);
  }

  #and(): QueryNode {
    const nodes = [this.#not()];
    for (;;) {
      const isExplicit = this.#takeKeyword('AND');
      const scanner = this.#scanner;
      const isOver = scanner.isAtEnd || scanner.peek(')') || scanner.peekKeyword() === 'OR';
      if (isOver && !isExplicit) return join('and', nodes);
      nodes.push(this.#not());
    }
  }

  #not(): QueryNode {
    if (this.#takeKeyword('NOT') || this.#scanner.takeMinus()) {
      const node = this.#deeper(() => this.#not());
      return { type: 'not', node };
    }
    return this.#primary();
  }

  #primary(): QueryNode {
    const scanner = this.#scanner;
    if (scanner.peek('(')) return this.#parenthesised(() => this.#or());
    const keyword = scanner.peekKeyword();
    if (keyword !== undefined)
      throw this.#error(`Something is missing before ${keyword}. ${asText(keyword)}`);
    if (scanner.isAtEnd || scanner.peek(')')) throw this.#error('Something is missing here.');
    const start = scanner.position;
    const field = scanner.takeField();
    if (field === undefined) return this.#freeText();
    if (field.name === 'has' && field.operator === ':' && !scanner.text.startsWith('"', start)) {
      return this.#has(scanner.position);
    }
    checkField(scanner.text, start, field.name);
    if (field.operator !== '!=') return this.#fieldValue(field.name, field.operator);
    const node = this.#value(field.name, '=');
    return this.#spaced({ type: 'not', node });
  }

  #has(position: number): QueryNode {
    const field = this.#scanner.takeName();
    if (field === undefined) throw this.#error('has: wants the name of a field, such as has:user.id');
    checkField(this.#scanner.text, position, field);
    return this.#spaced({ type: 'has', field, position });
  }

  #fieldValue(field: string, written: QueryOperator): QueryNode {
    const scanner = this.#scanner;
    const operator = written === ':' ? (scanner.takeComparison() ?? ':') : written;
    if (operator === ':' && scanner.peek('(')) return this.#parenthesised(() => this.#alternatives(field));
    return this.#value(field, operator);
  }

  /** `level:(warn OR error)`; words side by side must all match, as everywhere. */
  #alternatives(field: string): QueryNode {
    const all: QueryNode[] = [];
    let some: QueryNode[] = [];
    for (;;) {
      const isNegated = this.#takeKeyword('NOT') || this.#scanner.takeMinus();
      const keyword = this.#scanner.peekKeyword();
      if (keyword !== undefined) throw this.#error(`A value is missing before ${keyword}.`);
      const operator = this.#scanner.takeComparison() ?? ':';
      const node = this.#value(field, operator);
      some.push(isNegated ? { type: 'not', node } : node);
      if (this.#scanner.isAtEnd || this.#scanner.peek(')')) break;
      if (this.#takeKeyword('OR')) {
        all.push(join('and', some));
        some = [];
      } else {
        this.#takeKeyword('AND');
      }
    }
    return join('or', [...all, join('and', some)]);
  }

  #value(field: string, operator: QueryOperator): MatchNode {
    const scanner = this.#scanner;
    const position = scanner.position;
    const value = this.#takeValue(operator === ':');
    if (value?.kind === 'word' && operator === ':') checkFlags(scanner.text, position);
    if (value === undefined) {
      const hint = asText(`${field}${operator}`);
      throw this.#error(`A value is missing after ${field}${operator}. ${hint}`);
    }
    const node: MatchNode = { type: 'match', field, operator, value, position };
    checkMatch(scanner.text, node);
    return this.#spaced(node);
  }

  #freeText(): QueryNode {
    const { text, position } = this.#scanner;
    const value = this.#takeValue(false);
    if (value?.kind === 'word') checkFreeText(text, position);
    if (value === undefined) throw this.#error('Something is missing here.');
    return this.#spaced({ type: 'match', field: undefined, operator: ':', value, position });
  }

  #takeValue(mayBeRange: boolean): QueryValue | undefined {
    const scanner = this.#scanner;
    if (scanner.peek('"')) return { kind: 'phrase', text: scanner.takeQuoted() };
    const start = scanner.position;
    const regex = scanner.takeRegex();
    if (regex?.kind === 'regex' && regex.source.length > MAX_REGEX_LENGTH) {
      throw syntaxError(scanner.text, start, `A regex has at most ${MAX_REGEX_LENGTH} characters.`);
    }
    return regex ?? scanner.takeWord(mayBeRange);
  }

  #parenthesised(inner: () => QueryNode): QueryNode {
    const scanner = this.#scanner;
    const start = scanner.position++;
    scanner.skipSpace();
    const node = this.#deeper(inner);
    if (!scanner.takeChar(')')) throw syntaxError(scanner.text, start, 'There is no ")" for this "(".');
    return this.#spaced(node);
  }

  #deeper(inner: () => QueryNode): QueryNode {
    this.#scanner.skipSpace();
    if (++this.#depth > MAX_QUERY_DEPTH) {
      throw this.#error(`A query may be at most ${MAX_QUERY_DEPTH} levels deep.`);
    }
    const node = inner();
    this.#depth--;
    return node;
  }

  #takeKeyword(keyword: 'AND' | 'OR' | 'NOT'): boolean {
    const scanner = this.#scanner;
    if (scanner.peekKeyword() !== keyword) return false;
    scanner.position += keyword.length;
    scanner.skipSpace();
    return true;
  }

  #spaced<T extends QueryNode>(node: T): T {
    this.#scanner.skipSpace();
    return node;
  }

  #error(what: string): RedisLogError {
    return syntaxError(this.#scanner.text, this.#scanner.position, what);
  }
}

function join(type: 'and' | 'or', nodes: readonly QueryNode[]): QueryNode {
  const [only] = nodes;
  return nodes.length === 1 && only !== undefined ? only : { type, nodes };
}

function asText(text: string): string {
  return `To search for the text itself, write "${text}" in quotation marks.`;
}
