import type { LogEntry } from './entry.js';

/** Whether a note such as `1-5000,5003` holds a number. */
export class NumberRanges {
  readonly #ranges: readonly (readonly [first: number, last: number])[];

  constructor(text: string | undefined) {
    this.#ranges = (text ?? '')
      .split(',')
      .filter((range) => range !== '')
      .map((range) => {
        const [first, last = first] = range.split('-').map(Number);
        return [first ?? 0, last ?? 0] as const;
      });
  }

  has(number: number): boolean {
    return this.#ranges.some(([first, last]) => number >= first && number <= last);
  }
}

/** The numbers of each producer as such a note; entries without a number are left out. */
export function rangesByProducer(entries: readonly LogEntry[]): { producer: string; ranges: string }[] {
  const numbers = new Map<string, number[]>();
  for (const { producer, seq } of entries) {
    if (producer === undefined || seq === undefined) continue;
    const known = numbers.get(producer);
    if (known === undefined) numbers.set(producer, [seq]);
    else known.push(seq);
  }
  return Array.from(numbers, ([producer, list]) => ({ producer, ranges: textOf(list) }));
}

function textOf(numbers: number[]): string {
  const texts: string[] = [];
  let first: number | undefined;
  let last = 0;
  const end = (): void => {
    if (first !== undefined) texts.push(`${first}-${last}`);
  };
  for (const number of numbers.sort((a, b) => a - b)) {
    if (first !== undefined && number <= last + 1) {
      last = number;
      continue;
    }
    end();
    first = number;
    last = number;
  }
  end();
  return texts.join(',');
}
