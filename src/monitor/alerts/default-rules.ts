import { countOf, inWords } from '../words.js';
import { entriesOf } from '../group-status.js';
import type {
  GroupSample,
  GroupStatus,
  MonitorSample,
  ProducerSample,
  ServerSample,
  StreamSample,
} from '../types.js';
import { errorRules } from './error-rules.js';
import type { AlertFinding, AlertRule } from './types.js';

const MINUTE = 60_000;

type Finding = Omit<AlertFinding, 'subject'>;
type Head = Pick<AlertRule, 'name' | 'severity' | 'forMs'>;

/**
 * The rules a monitor starts with; docs/monitoring.md lists them. Add to them, or leave some out:
 * `rules: [...defaultAlertRules().filter((rule) => rule.name !== 'Stalled'), mine]`.
 */
export function defaultAlertRules(): AlertRule[] {
  return [...groupRules(), ...streamRules(), ...errorRules(), ...serverRules()];
}

function groupRules(): AlertRule[] {
  return [
    perGroup({ name: 'LogsLosing', severity: 'critical', forMs: 0 }, (group) => ({
      isBad: group.status === 'LOSING',
      text: `lost ${lostInWords(group)} to trimming`,
      whatToDo: group.advice,
    })),
    perGroup({ name: 'TimeBehind', severity: 'warn', forMs: 2 * MINUTE }, (group) => behind(group, MINUTE)),
    perGroup({ name: 'TimeFarBehind', severity: 'critical', forMs: 5 * MINUTE }, (group) =>
      behind(group, 5 * MINUTE),
    ),
    perGroup({ name: 'Stalled', severity: 'error', forMs: MINUTE }, (group) => ({
      isBad: hasStatus(group, 'STALLED'),
      text: 'reads nothing',
      whatToDo: group.advice,
    })),
    perGroup({ name: 'NoConsumer', severity: 'error', forMs: MINUTE }, (group) => ({
      isBad: hasStatus(group, 'NO CONSUMER'),
      text: 'has no live consumer',
      whatToDo: group.advice,
    })),
    perGroup({ name: 'OldestPending', severity: 'error', forMs: 0 }, ({ oldestPending }) => ({
      isBad: (oldestPending?.pendingForMs ?? 0) > 5 * MINUTE,
      text: `holds an entry for ${inWords(oldestPending?.pendingForMs ?? 0)} without acknowledging it`,
      whatToDo: `See what the consumer ${oldestPending?.consumer ?? ''} does, and the errors of its handler.`,
    })),
    perGroup({ name: 'RetentionFilling', severity: 'warn', forMs: MINUTE }, (group) => filling(group, 0.7)),
    perGroup({ name: 'RetentionAlmostFull', severity: 'critical', forMs: 0 }, (group) => filling(group, 0.9)),
  ];
}

function lostInWords({ lost }: GroupSample): string {
  const entries = entriesOf(lost);
  return entries === undefined ? 'an unknown number of entries' : countOf(entries, 'entry', 'entries');
}

/** A status that cannot be told may be any. */
function hasStatus({ status }: GroupSample, wanted: GroupStatus): boolean | undefined {
  return status === 'UNKNOWN' ? undefined : status === wanted;
}

function behind({ timeBehindMs, advice }: GroupSample, limitMs: number): Finding {
  return {
    isBad: timeBehindMs === undefined ? undefined : timeBehindMs > limitMs,
    text: `is ${inWords(timeBehindMs ?? 0)} behind`,
    whatToDo: advice === 'Nothing to do.' ? 'It catches up; add consumers if that takes too long.' : advice,
  };
}

/** How far below its limit a backlog has to be to count as smaller: it goes up and down with every batch. */
const SLACK = 0.1;

function filling(group: GroupSample, limit: number): Finding {
  const { retentionUsed } = group;
  return {
    isBad: isFilled(group, limit),
    text: `has ${Math.round((retentionUsed ?? 0) * 100)} % of what the stream keeps before it`,
    whatToDo:
      'Add consumers, or raise retention.maxLength of the producers before entries are trimmed unread.',
  };
}

function isFilled({ retentionUsed: used, lag, status }: GroupSample, limit: number): boolean | undefined {
  if (used === undefined) return undefined;
  if (used > limit) return true;
  const isOpen = used > limit - SLACK || lag.kind !== 'exact' || status === 'LOSING';
  return isOpen ? undefined : false;
}

function streamRules(): AlertRule[] {
  return [
    perStream({ name: 'StreamUnreadable', severity: 'error', forMs: MINUTE }, ({ problem }) => ({
      isBad: problem !== undefined,
      text: `cannot be read: ${problem ?? ''}`,
      whatToDo: 'Check that Redis runs, and the rights of this user (aclRules with role "monitor").',
    })),
    deadLetters(),
    perProducer('RecordsMissing', ({ unexplained }) => unexplained, {
      one: 'record was stored and is missing',
      more: 'records were stored and are missing',
      whatToDo: 'Look for a failover, a restore, XDEL or a script that deletes; see docs/exactly-once.md.',
      startsAtZero: true,
    }),
    perProducer('ProducerDrops', ({ shed }) => shed, {
      one: 'record was dropped before it was written',
      more: 'records were dropped before they were written',
      whatToDo: 'stats().dropped of that process says why; a full queue means that Redis is slow or away.',
      // Some of it may be from long before it was watched.
      startsAtZero: false,
    }),
  ];
}

/** Looks back five minutes: dead letters stay, and an old one is no news. */
function deadLetters(): AlertRule {
  const seen = new Map<string, { count: number; atMs: number }[]>();
  return perStream(
    { name: 'DeadLetters', severity: 'warn', forMs: 0 },
    ({ stream, deadLetters: now, serverMs }) => {
      const before = seen.get(stream) ?? [];
      if (now === undefined || serverMs === undefined) return { isBad: undefined, text: '', whatToDo: '' };
      const recent = [
        ...before.filter(({ atMs }) => serverMs - atMs <= 5 * MINUTE),
        { count: now, atMs: serverMs },
      ];
      seen.set(stream, recent);
      const grown = now - Math.min(...recent.map(({ count }) => count));
      return {
        isBad: grown > 0,
        text: `got new dead letters within 5 minutes: ${grown}`,
        whatToDo:
          'Look at the newest of them for the error of the handler; they can be sent back once it is mended.',
      };
    },
  );
}

interface ToldOfProducer {
  /** What is said of one record, and of several. */
  readonly one: string;
  readonly more: string;
  readonly whatToDo: string;
  readonly startsAtZero: boolean;
}

/** What is lost stays lost, so only growth counts, and is resolved when there was none for five minutes. */
function perProducer(
  name: string,
  read: (producer: ProducerSample) => number | undefined,
  told: ToldOfProducer,
): AlertRule {
  let last = new Map<string, number>();
  const evaluate = ({ streams }: MonitorSample): AlertFinding[] => {
    const next = new Map<string, number>();
    const find = (stream: string, sample: ProducerSample): AlertFinding => {
      const { producer } = sample;
      const key = `${stream} ${producer}`;
      const now = read(sample);
      const before = last.get(key) ?? (told.startsAtZero ? 0 : now);
      if (now !== undefined) next.set(key, now);
      return {
        subject: { stream, producer },
        isBad: now === undefined || before === undefined ? undefined : now > before,
        text: `${countOf(now ?? 0, told.one, told.more)}, of producer ${producer} and stream ${stream}`,
        whatToDo: told.whatToDo,
      };
    };
    const findings = streams.flatMap(({ stream, producers }) => producers.map((each) => find(stream, each)));
    last = next;
    return findings;
  };
  return { name, severity: 'error', forMs: 0, keepFiringForMs: 5 * MINUTE, evaluate };
}

function serverRules(): AlertRule[] {
  return [
    perServer({ name: 'RedisMemory', severity: 'warn', forMs: 5 * MINUTE }, (server) => {
      const used = memoryShare(server);
      return {
        isBad: used === undefined ? undefined : used > 0.8,
        text: `uses ${Math.round((used ?? 0) * 100)} % of maxmemory`,
        whatToDo: 'Lower retention, or raise maxmemory; at 100 % writes are refused, or streams evicted.',
      };
    }),
    perServer(
      { name: 'RedisEvicts', severity: 'critical', forMs: 0 },
      ({ newlyEvictedKeys, evictionPolicy }) => ({
        isBad: newlyEvictedKeys === undefined ? undefined : newlyEvictedKeys > 0,
        text: `evicted ${countOf(newlyEvictedKeys ?? 0, 'key')} (${evictionPolicy ?? 'unknown policy'})`,
        whatToDo: 'Set maxmemory-policy to noeviction and free memory: an evicted stream is lost whole.',
      }),
      MINUTE,
    ),
    perServer({ name: 'RedisPersistence', severity: 'error', forMs: MINUTE }, ({ persistenceOk }) => ({
      isBad: persistenceOk === undefined ? undefined : !persistenceOk,
      text: 'cannot save to disk',
      whatToDo: 'Check the disk and the log of the server; a crash now would lose what is not saved.',
    })),
  ];
}

function memoryShare({ memoryUsedBytes, memoryMaxBytes }: ServerSample): number | undefined {
  if (memoryUsedBytes === undefined || memoryMaxBytes === undefined) return undefined;
  return memoryMaxBytes === 0 ? 0 : memoryUsedBytes / memoryMaxBytes;
}

function perGroup(head: Head, find: (group: GroupSample) => Finding): AlertRule {
  const evaluate = ({ streams }: MonitorSample): AlertFinding[] =>
    streams.flatMap(({ stream, problem, groups }) =>
      groups.map((group) => {
        const { isBad, text, whatToDo } = find(group);
        const said = `Group ${group.group} of ${stream} ${text}`;
        // What is shown of a stream that cannot be read is the sample before.
        return {
          subject: { stream, group: group.group },
          isBad: problem === undefined ? isBad : undefined,
          text: said,
          whatToDo,
        };
      }),
    );
  return { ...head, evaluate };
}

function perStream(head: Head, find: (stream: StreamSample) => Finding): AlertRule {
  return {
    ...head,
    evaluate: ({ streams }) =>
      streams.map((stream) => {
        const found = find(stream);
        return {
          ...found,
          subject: { stream: stream.stream },
          text: `Stream ${stream.stream} ${found.text}`,
        };
      }),
  };
}

function perServer(head: Head, find: (server: ServerSample) => Finding, keepFiringForMs = 0): AlertRule {
  return {
    ...head,
    keepFiringForMs,
    evaluate: ({ servers }) =>
      servers.map((server) => {
        const found = find(server);
        return {
          ...found,
          subject: { server: server.address },
          text: `Redis at ${server.address} ${found.text}`,
        };
      }),
  };
}
