import { encodeValue } from '../../codec/value.js';
import type { LogRecord } from '../../record/log-record.js';
import type { MatchNode, QueryNode, QueryOperator, QueryValue } from './ast.js';
import { resolveField } from './fields.js';
import { DEFAULT_SEVERITY, type LevelSpan, levelSpan } from './levels.js';
import { parseQuery } from './parse.js';
import { printQuery } from './print.js';
import { compileRegexes } from './regex.js';
import {
  comparedWith,
  containsLoosely,
  equalsLoosely,
  matchesParts,
  type TextTest,
  toNumber,
} from './text-tests.js';
import { DecodedView, type RecordView, valueOf } from './view.js';

export type ViewTest = (view: RecordView) => boolean;
type ValueTest = (value: unknown) => boolean;
type Regexes = ReadonlyMap<MatchNode, TextTest>;

/**
 * A query as a function of a decoded record. Asynchronous because the regex engine is loaded only for a query that
 * needs it.
 *
 * @example
 * const matches = await compileQuery('level>=warn -user.id:42');
 * records.filter(matches);
 *
 * @throws RedisLogError `REDIS_LOG_QUERY_SYNTAX` with `position`, and a message that shows the place.
 */
export async function compileQuery(query: string | QueryNode): Promise<(record: LogRecord) => boolean> {
  const test = await compileViewTest(query);
  return (record) => test(new DecodedView(record));
}

/** The same for anything that can be seen as a record. `text`: the query as it was written, for messages. */
export async function compileViewTest(query: string | QueryNode, text?: string): Promise<ViewTest> {
  const node = typeof query === 'string' ? parseQuery(query) : query;
  const written = text ?? (typeof query === 'string' ? query : printQuery(query));
  return testOf(node, await compileRegexes(written, node));
}

function testOf(node: QueryNode, regexes: Regexes): ViewTest {
  switch (node.type) {
    case 'all':
      return () => true;
    case 'and': {
      const tests = node.nodes.map((each) => testOf(each, regexes));
      return (view) => tests.every((test) => test(view));
    }
    case 'or': {
      const tests = node.nodes.map((each) => testOf(each, regexes));
      return (view) => tests.some((test) => test(view));
    }
    case 'not': {
      const test = testOf(node.node, regexes);
      return (view) => !test(view);
    }
    case 'has': {
      const ref = resolveField(node.field);
      return (view) => ref !== undefined && valueOf(view, ref) !== undefined;
    }
    default:
      return matchTest(node, regexes);
  }
}

function matchTest(node: MatchNode, regexes: Regexes): ViewTest {
  const ref = resolveField(node.field ?? 'body');
  if (ref === undefined) return () => false;
  if (ref.kind === 'own' && ref.part === 'level') {
    const test = levelTest(node.operator, node.value);
    return (view) => test(Number(view.own('level') ?? 0) || DEFAULT_SEVERITY);
  }
  const isBody = ref.kind === 'own' && ref.part === 'body';
  const test = valueTest(node, { regex: regexes.get(node), isBody });
  return (view) => test(valueOf(view, ref));
}

function levelTest(operator: QueryOperator, value: QueryValue): (severity: number) => boolean {
  if (value.kind === 'range') {
    const lowest = value.from === undefined ? 0 : spanOf(value.from)[0];
    const highest = value.to === undefined ? Infinity : spanOf(value.to)[1];
    return (severity) => severity >= lowest && severity <= highest;
  }
  const text = value.kind === 'phrase' ? value.text : value.kind === 'word' ? value.parts.join('*') : '';
  const [lowest, highest] = spanOf(text);
  switch (operator) {
    case '>':
      return (severity) => severity > highest;
    case '>=':
      return (severity) => severity >= lowest;
    case '<':
      return (severity) => severity < lowest;
    case '<=':
      return (severity) => severity <= highest;
    default:
      return (severity) => severity >= lowest && severity <= highest;
  }
}

/** The parser lets only levels through; a tree that somebody else made may hold others, and finds nothing. */
function spanOf(text: string): LevelSpan {
  return levelSpan(text) ?? [Infinity, -Infinity];
}

function valueTest(
  { operator, value }: MatchNode,
  { regex, isBody }: { readonly regex: TextTest | undefined; readonly isBody: boolean },
): ValueTest {
  if (value.kind === 'range') return anyOf(rangeTest(value.from, value.to));
  if (value.kind === 'regex') return textual(regex ?? (() => false), isBody);
  const text = value.kind === 'phrase' ? value.text : value.parts.join('*');
  if (operator === '=') return anyOf((own) => equals(own, text, (other) => other === text));
  if (operator !== ':') return anyOf(comparisonTest(operator, text));
  if (value.kind === 'word' && value.parts.length > 1)
    return textual(matchesParts(value.parts, !isBody), isBody);
  if (isBody) return textual(containsLoosely(text), true);
  const test = equalsLoosely(text);
  return anyOf((own) => equals(own, text, test));
}

/** A list has what one of its items has. */
function anyOf(test: ValueTest): ValueTest {
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

/** The body may be anything, and is searched as it stands in Redis; of attributes only single values are. */
function textual(test: TextTest, isBody: boolean): ValueTest {
  if (isBody) {
    return (value) =>
      value !== undefined &&
      test(typeof value === 'string' ? value : (scalarText(value) ?? encodeValue(value)));
  }
  return anyOf((value) => {
    const text = scalarText(value);
    return text !== undefined && test(text);
  });
}

function scalarText(value: unknown): string | undefined {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      return value === null ? 'null' : undefined;
  }
}

function equals(value: unknown, wanted: string, test: TextTest): boolean {
  if (typeof value === 'number' && value === toNumber(wanted)) return true;
  const text = scalarText(value);
  return text !== undefined && test(text);
}

function rangeTest(from: string | undefined, to: string | undefined): ValueTest {
  const lower = from === undefined ? undefined : comparedWith(from);
  const upper = to === undefined ? undefined : comparedWith(to);
  return (value) => {
    const above = lower === undefined ? 0 : lower(value);
    const below = upper === undefined ? 0 : upper(value);
    return above !== undefined && above >= 0 && below !== undefined && below <= 0;
  };
}

function comparisonTest(operator: QueryOperator, bound: string): ValueTest {
  const compare = comparedWith(bound);
  const isWanted = (order: number): boolean => {
    if (operator === '>') return order > 0;
    if (operator === '>=') return order >= 0;
    return operator === '<' ? order < 0 : order <= 0;
  };
  return (value) => {
    const order = compare(value);
    return order !== undefined && isWanted(order);
  };
}
