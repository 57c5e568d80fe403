import { inWords } from './words.js';
import { consumerHealth, type HealthLimits } from './janitor.js';
import type { EntryCount, GroupSample, GroupStatus, MonitorSample, StreamSample } from './types.js';
import { visible } from './visible.js';

export interface TableOptions {
  /** Statuses in colour, by ANSI escapes. Default `false`. */
  readonly color?: boolean;
  /** Also one line per consumer, judged by these limits. Default `false`. */
  readonly consumers?: boolean | HealthLimits;
}

type Row = readonly string[];

const HEADS: Row = [
  'STREAM',
  'LENGTH',
  'IN/S',
  'GROUP',
  'STATUS',
  'LAG',
  'BEHIND',
  'PENDING',
  'READ/S',
  'LOST',
];
const CONSUMER_HEADS: Row = ['STREAM', 'GROUP', 'CONSUMER', 'IDLE', 'PENDING', 'STATUS'];
const LEFT = new Set(['STREAM', 'GROUP', 'STATUS', 'CONSUMER']);

const RED = '\u001B[31m';
const YELLOW = '\u001B[33m';
const GREEN = '\u001B[32m';
const RESET = '\u001B[0m';

const COLORS: Readonly<Record<GroupStatus, string>> = {
  OK: GREEN,
  BEHIND: YELLOW,
  UNKNOWN: YELLOW,
  STALLED: RED,
  STUCK: RED,
  'NO CONSUMER': RED,
  LOSING: RED,
};

/**
 * A sample as a table for a terminal: one line per group, then a sentence for each that needs somebody. Names come from
 * anywhere, so characters that could drive a terminal are shown as escapes.
 */
export function renderTable(sample: MonitorSample, options: TableOptions = {}): string {
  const rows = sample.streams.flatMap(streamRows);
  const paint = (text: string, status: string): string =>
    options.color === true ? `${COLORS[status as GroupStatus] ?? ''}${text}${RESET}` : text;
  const table = layOut(HEADS, rows, paint);
  const { consumers = false } = options;
  const blocks = [table];
  if (consumers !== false) {
    const limits = consumers === true ? {} : consumers;
    blocks.push(layOut(CONSUMER_HEADS, consumerRows(sample, limits), (text) => text));
  }
  const notes = sample.streams.flatMap(notesOf);
  if (notes.length > 0) blocks.push(notes.join('\n'));
  return `${blocks.join('\n\n')}\n`;
}

function streamRows({ stream, length, addedPerSecond, groups, exists }: StreamSample): Row[] {
  const head = [visible(stream), exists ? String(length) : 'none', rate(addedPerSecond)];
  if (groups.length === 0) return [[...head, '-', '', '', '', '', '', '']];
  return groups.map((group, index) => [...(index === 0 ? head : ['', '', '']), ...groupCells(group)]);
}

function groupCells(group: GroupSample): string[] {
  return [
    visible(group.group),
    group.status,
    countText(group.lag),
    group.timeBehindMs === undefined
      ? 'unknown'
      : group.timeBehindMs === 0
        ? '0'
        : inWords(group.timeBehindMs),
    String(group.pending),
    rate(group.readPerSecond),
    countText(group.lost),
  ];
}

/** `unknown` is never 0, and never looks like it. */
function countText(count: EntryCount): string {
  if (count.kind === 'unknown') return 'unknown';
  return count.kind === 'exact' ? String(count.entries) : `>=${count.entries}`;
}

function rate(perSecond: number | undefined): string {
  if (perSecond === undefined) return '?';
  return perSecond >= 10 || perSecond === 0 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}

function consumerRows({ streams }: MonitorSample, limits: HealthLimits): Row[] {
  return streams.flatMap(({ groups }) =>
    groups.flatMap(({ stream, group, consumers }) =>
      consumers.map((consumer) => [
        visible(stream),
        visible(group),
        visible(consumer.name),
        inWords(consumer.idleMs),
        String(consumer.pending),
        consumerHealth(consumer, limits),
      ]),
    ),
  );
}

function notesOf({ stream, problem, groups }: StreamSample): string[] {
  if (problem !== undefined) return [visible(`${stream}: ${problem}`)];
  return groups
    .filter(({ status, losingInMs }) => status !== 'OK' || losingInMs !== undefined)
    .map(({ group, status, advice }) => visible(`${stream} ${group}: ${status}. ${advice}`));
}

function layOut(heads: Row, rows: readonly Row[], paint: (text: string, status: string) => string): string {
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (row: Row, isHead: boolean): string =>
    heads
      .map((head, column) => {
        const text = row[column] ?? '';
        const width = widths[column] ?? 0;
        const padded = LEFT.has(head) ? text.padEnd(width) : text.padStart(width);
        return head === 'STATUS' && !isHead ? paint(padded, text) : padded;
      })
      .join('  ')
      .trimEnd();
  return [line(heads, true), ...rows.map((row) => line(row, false))].join('\n');
}
