import type { MatchNode, QueryNode } from './ast.js';
import { syntaxError } from './syntax-error.js';
import type { TextTest } from './text-tests.js';

/** Makes the test of a regex. */
export type RegexMaker = (source: string, ignoreCase: boolean) => TextTest;

/**
 * The regexes of a query, compiled. The engine takes time in proportion to the text whatever the pattern, which comes
 * from people; it is loaded with the first regex, since few queries have one.
 *
 * @throws RedisLogError `REDIS_LOG_QUERY_SYNTAX` for one that is none.
 */
export async function compileRegexes(
  query: string,
  node: QueryNode,
): Promise<ReadonlyMap<MatchNode, TextTest>> {
  const found = regexNodes(node);
  if (found.length === 0) return new Map();
  const { RE2JS } = await import('re2js');
  return new Map(
    found.map((each): [MatchNode, TextTest] => {
      const { value, position } = each;
      if (value.kind !== 'regex') throw new TypeError('not a regex');
      try {
        const regex = RE2JS.compile(value.source, value.ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
        return [each, (text) => regex.test(text)];
      } catch (error) {
        const why = error instanceof Error ? error.message : 'unknown';
        throw syntaxError(query, position, `This regex cannot be used (${why}); its syntax is that of RE2.`);
      }
    }),
  );
}

function regexNodes(node: QueryNode): MatchNode[] {
  switch (node.type) {
    case 'and':
    case 'or':
      return node.nodes.flatMap(regexNodes);
    case 'not':
      return regexNodes(node.node);
    case 'match':
      return node.value.kind === 'regex' ? [node] : [];
    default:
      return [];
  }
}
