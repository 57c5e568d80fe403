import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const START = '<!-- comparison:start -->';
const END = '<!-- comparison:end -->';

/** A page of the repository with a part between two marks that a test writes. */
export function generatedPart(page: string): { text: string; replace(text: string): void } {
  const path = fileURLToPath(new URL(`../../../${page}`, import.meta.url));
  const whole = readFileSync(path, 'utf8');
  const start = whole.indexOf(START);
  const end = whole.indexOf(END);
  if (start < 0 || end < start) throw new Error(`${page} has lost the marks ${START} and ${END}.`);
  return {
    text: whole.slice(start + START.length, end).trim(),
    replace: (text) => writeFileSync(path, `${whole.slice(0, start)}${START}\n${text}\n${whole.slice(end)}`),
  };
}

export type Verdict = 'yes' | 'no' | 'Express only' | 'Fastify only';

export interface TableSection {
  readonly title: string;
  readonly rows: readonly { readonly title: string; readonly verdicts: readonly Verdict[] }[];
}

/** A table in the layout that the formatter leaves alone. */
export function table(columns: readonly string[], sections: readonly TableSection[]): string {
  const lines = [
    ['', ...columns],
    ['---', ...columns.map(() => '---')],
  ];
  for (const { title, rows } of sections) {
    lines.push([`**${title}**`, ...columns.map(() => '')]);
    for (const row of rows) lines.push([row.title, ...row.verdicts.map(shownVerdict)]);
  }
  return lines
    .map((cells) => `|${cells.map((cell) => (cell === '' ? ' |' : ` ${cell} |`)).join('')}`)
    .join('\n');
}

function shownVerdict(verdict: Verdict): string {
  return verdict === 'no' ? '–' : verdict;
}
