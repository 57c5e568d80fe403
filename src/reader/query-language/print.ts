import { BARE_FIELD, type MatchNode, type QueryNode, type QueryValue } from './ast.js';

/** The text of a query: `parseQuery(printQuery(node))` is the same query again. */
export function printQuery(node: QueryNode): string {
  switch (node.type) {
    case 'all':
      return '';
    case 'and':
      return node.nodes.map((each) => nested(each, each.type === 'and' || each.type === 'or')).join(' ');
    case 'or':
      return node.nodes.map((each) => nested(each, each.type === 'or')).join(' OR ');
    case 'not':
      return `-${nested(node.node, node.node.type !== 'match' && node.node.type !== 'has')}`;
    case 'has':
      return `has:${fieldName(node.field)}`;
    default:
      return printMatch(node);
  }
}

function nested(node: QueryNode, needsParentheses: boolean): string {
  return needsParentheses ? `(${printQuery(node)})` : printQuery(node);
}

function printMatch({ field, operator, value }: MatchNode): string {
  return field === undefined
    ? printValue(value, false)
    : `${field === 'has' ? quoted(field) : fieldName(field)}${operator}${printValue(value, true)}`;
}

function printValue(value: QueryValue, isOfField: boolean): string {
  switch (value.kind) {
    case 'phrase':
      return quoted(value.text);
    case 'regex':
      return `/${value.source.replace(/\\.|\//gs, (found) => (found === '/' ? '\\/' : found))}/${value.ignoreCase ? 'i' : ''}`;
    case 'range':
      return `${escaped(value.from ?? '')}..${escaped(value.to ?? '')}`;
    default:
      return printWord(value.parts, isOfField);
  }
}

function printWord(parts: readonly string[], isOfField: boolean): string {
  const text = parts.map((part) => (isOfField ? escaped(part) : escapedFreely(part))).join('*');
  return /^(?:AND|OR|NOT|[-/<>=:&|])/.test(text) ? `\\${text}` : text;
}

/** Two dots would make a range, and so would one at the edge of a bound. */
function escaped(text: string): string {
  return text.replace(/[\s()"\\*]|\.(?=\.|$)|(?<=^|\.)\.|^[-/<>=:]/g, '\\$&');
}

/** In free text an operator would make a field of what stands before it. */
function escapedFreely(text: string): string {
  return text.replace(/[\s()"\\*:=<>!]/g, '\\$&');
}

function fieldName(name: string): string {
  BARE_FIELD.lastIndex = 0;
  return BARE_FIELD.exec(name)?.[0] === name ? name : quoted(name);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
