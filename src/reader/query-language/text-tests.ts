/** Says whether a text is what is looked for. */
export type TextTest = (text: string) => boolean;

/** A number as JSON writes it, with a plus sign allowed. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

export function toNumber(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined;
}

/** Case is ignored. */
export function equalsLoosely(wanted: string): TextTest {
  const lowered = wanted.toLowerCase();
  return (text) => text === wanted || text.toLowerCase() === lowered;
}

/** Case is ignored. */
export function containsLoosely(wanted: string): TextTest {
  const lowered = wanted.toLowerCase();
  return (text) => text.includes(wanted) || text.toLowerCase().includes(lowered);
}

/**
 * Between the parts any text may stand; with `isWhole`, the first and the last part are the ends of the text. Each part
 * is taken where it comes first, which is enough, so the time does not explode. Case is ignored.
 */
export function matchesParts(parts: readonly string[], isWhole: boolean): TextTest {
  const lowered = parts.map((part) => part.toLowerCase());
  const first = isWhole ? (lowered.shift() ?? '') : '';
  const last = isWhole ? (lowered.pop() ?? '') : '';
  return (original) => {
    const text = original.toLowerCase();
    if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
      return false;
    const end = text.length - last.length;
    let position = first.length;
    for (const part of lowered) {
      const found = text.indexOf(part, position);
      if (found < 0 || found + part.length > end) return false;
      position = found + part.length;
    }
    return true;
  };
}

/** Below 0, 0 or above 0; undefined where the two cannot be compared. Numbers compare as numbers. */
export type Comparison = (value: unknown) => number | undefined;

export function comparedWith(bound: string): Comparison {
  const number = toNumber(bound);
  if (number !== undefined) {
    return (value) => {
      const own = typeof value === 'string' ? toNumber(value) : value;
      if (typeof own !== 'number' && typeof own !== 'bigint') return undefined;
      if (own < number) return -1;
      return own > number ? 1 : own == number ? 0 : undefined;
    };
  }
  return (value) => {
    if (typeof value !== 'string') return undefined;
    if (value < bound) return -1;
    return value > bound ? 1 : 0;
  };
}
