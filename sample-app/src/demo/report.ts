import type { DemoAccount } from './account.js';
import { redisCliFor } from './demo-redis.js';
import type { DemoSettings } from './environment.js';
import type { EtlAccount } from './etl/etl-account.js';
import type { MonitorAccount } from './monitor/group-story.js';
import { REQUESTS_PER_SECOND } from './traffic.js';

const LABEL_WIDTH = 16;

export function say(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** What runs, and where its logs can be looked at. */
export function introduction(shopUrl: string, seconds: number, { redisUrl, stream }: DemoSettings): string[] {
  const cli = redisCliFor(redisUrl);
  return [
    '',
    `The shop runs at ${shopUrl}, and serves about ${REQUESTS_PER_SECOND} requests a second.`,
    `Its logs land in the Redis stream ${stream}. Look at them from another terminal:`,
    `  ${cli} XREVRANGE ${stream} + - COUNT 3`,
    `  ${cli} XLEN ${stream}`,
    `  ${cli} XREAD BLOCK 0 STREAMS ${stream} '$'`,
    'Beside it run a worker that keeps the errors in SQLite and will be killed, and a screen that shows all records',
    'and will hang, watched by a monitor.',
    `It ends by itself after ${seconds} s, and before that by Ctrl-C.`,
    '',
  ];
}

export function accountLines(account: DemoAccount): string[] {
  return [
    '',
    `After ${account.seconds} s:`,
    row('requests', account.requests, listed(account.requestsByStatus)),
    row('emitted', account.emitted, 'log records'),
    row('delivered', account.delivered, account.delivery),
    row('dropped', account.dropped, listed(account.droppedByReason)),
    row('unconfirmed', account.unconfirmed, `${account.queued} left behind, ${account.retried} sent again`),
    ...(account.streamWasRead ? streamRows(account) : []),
    ...(account.monitor === null ? [] : monitorRows(account.monitor)),
    '',
    ...verdict(account),
  ];
}

function streamRows(account: DemoAccount): string[] {
  const traced = account.requestsWithOwnTrace;
  return [
    row('in the stream', account.inStream, `${account.duplicates} twice, ${account.malformed} unreadable`),
    row('with a trace id', account.withTraceId, 'the others: boot, scheduled job, shutdown'),
    row('traced requests', traced, `of ${account.requests}, each by a trace of its own`),
    ...etlRows(account.etl),
  ];
}

function etlRows({ errorsInStream, errorsInStore, storedTwice, kills }: EtlAccount): string[] {
  const remark = `${errorsInStream} in the stream; ${storedTwice} stored twice; worker killed: ${kills}`;
  return [row('errors stored', errorsInStore, remark)];
}

function monitorRows({ lost, statuses }: MonitorAccount): string[] {
  return [row('lost by screen', lost ?? 0, statuses.map(({ status }) => status).join(', '))];
}

function verdict({ addsUp, problems }: DemoAccount): string[] {
  if (!addsUp) return ['It does NOT add up:', ...problems.map((problem) => `  ${problem}`)];
  return ["It adds up: every record is stored once, and every request's records carry its trace id."];
}

function row(label: string, figure: number, remark: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${String(figure).padStart(8)}${remark === '' ? '' : `  (${remark})`}`;
}

function listed(counts: Readonly<Record<string, number | undefined>>): string {
  const names = Object.keys(counts).toSorted();
  return names.map((name) => `${name} ${counts[name] ?? 0}`).join(', ');
}
