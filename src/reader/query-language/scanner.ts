import { BARE_FIELD, type QueryOperator, type QueryValue } from './ast.js';
import { syntaxError } from './syntax-error.js';

const SPACE = /\s+/y;
const OPERATOR = /!=|>=|<=|[:=<>]/y;
const KEYWORD = /(?:AND|OR|NOT)(?=[\s()]|$)/y;
/** What a word cannot hold unless a backslash stands before it. */
const WORD_END = /[\s()"]/;
/** What may follow a regex. */
const AFTER_REGEX = /^i?(?=[\s)]|$)/;

export type Keyword = 'AND' | 'OR' | 'NOT';
export type WrittenOperator = QueryOperator | '!=';

/** Reads a query's text from left to right. A method that finds nothing of its kind stays where it is. */
export class Scanner {
  readonly text: string;
  position = 0;

  constructor(text: string) {
    this.text = text;
  }

  get isAtEnd(): boolean {
    return this.position >= this.text.length;
  }

  skipSpace(): void {
    this.#take(SPACE);
  }

  /** The very next character, if it is this one. */
  takeChar(char: string): boolean {
    if (this.text[this.position] !== char) return false;
    this.position++;
    return true;
  }

  peek(text: string): boolean {
    return this.text.startsWith(text, this.position);
  }

  peekKeyword(): Keyword | undefined {
    KEYWORD.lastIndex = this.position;
    return KEYWORD.exec(this.text)?.[0] as Keyword | undefined;
  }

  /** A minus sign that negates: something stands right behind it. */
  takeMinus(): boolean {
    const next = this.text[this.position + 1];
    if (!this.peek('-') || next === undefined || /[\s)]/.test(next)) return false;
    this.position++;
    return true;
  }

  /** A field's name, bare or quoted, with the operator behind it. */
  takeField(): { readonly name: string; readonly operator: WrittenOperator } | undefined {
    const start = this.position;
    const name = this.takeName();
    const operator = name === undefined ? undefined : this.#take(OPERATOR);
    // `https://...` is an address, and no field called https.
    if (name === undefined || operator === undefined || (operator === ':' && this.peek('//'))) {
      this.position = start;
      return undefined;
    }
    return { name, operator: operator as WrittenOperator };
  }

  takeName(): string | undefined {
    return this.peek('"') ? this.takeQuoted() : this.#take(BARE_FIELD);
  }

  /** `>=` and its like after a colon: `status:>=500` is `status>=500`. */
  takeComparison(): QueryOperator | undefined {
    OPERATOR.lastIndex = this.position;
    const found = OPERATOR.exec(this.text)?.[0];
    if (found === undefined || !/[<>]/.test(found)) return undefined;
    this.position += found.length;
    return found as QueryOperator;
  }

  takeQuoted(): string {
    const start = this.position++;
    let text = '';
    for (;;) {
      if (this.isAtEnd) throw syntaxError(this.text, start, 'This quotation mark is never closed.');
      const char = this.text[this.position++];
      if (char === '"') return text;
      text += char === '\\' ? (this.text[this.position++] ?? '') : char;
    }
  }

  /** `/source/` or `/source/i`; undefined where the slash begins a mere word, such as a path. */
  takeRegex(): QueryValue | undefined {
    if (!this.peek('/')) return undefined;
    let source = '';
    for (let i = this.position + 1; i < this.text.length; i++) {
      const char = this.text[i] ?? '';
      if (char === '\\') {
        const next = this.text[++i] ?? '';
        source += next === '/' ? '/' : char + next;
        continue;
      }
      if (char !== '/') {
        source += char;
        continue;
      }
      const flags = AFTER_REGEX.exec(this.text.slice(i + 1, i + 3));
      if (flags === null || source === '') return undefined;
      this.position = i + 1 + flags[0].length;
      return { kind: 'regex', source, ignoreCase: flags[0] === 'i' };
    }
    return undefined;
  }

  /** A bare word. As a field's value it may be a range. */
  takeWord(isValue: boolean): QueryValue | undefined {
    const start = this.position;
    const parts = [''];
    let split: number | undefined;
    while (!this.isAtEnd && !WORD_END.test(this.text[this.position] ?? '')) {
      const last = parts.length - 1;
      if (isValue && last === 0 && split === undefined && this.peek('..')) {
        split = parts[0]?.length;
        this.position += 2;
        continue;
      }
      const char = this.text[this.position++] ?? '';
      if (char === '*') parts.push('');
      else parts[last] += char === '\\' ? (this.text[this.position++] ?? char) : char;
    }
    if (this.position === start) return undefined;
    return split === undefined ? { kind: 'word', parts } : this.#range(parts, split, start);
  }

  #range(parts: readonly string[], split: number, start: number): QueryValue {
    const [text = ''] = parts;
    const from = text.slice(0, split);
    const to = text.slice(split);
    if (parts.length > 1 || (from === '' && to === '')) {
      throw syntaxError(this.text, start, 'A range has a value on one side or on both: 500..599, or 500..');
    }
    return { kind: 'range', from: from === '' ? undefined : from, to: to === '' ? undefined : to };
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0];
    this.position += found?.length ?? 0;
    return found;
  }
}
