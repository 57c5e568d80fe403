import { readFileSync, readlinkSync } from 'node:fs';
import { errorCode } from './spool-files.js';

/** What tells one process from every other that ever had its number. */
export interface ProcessIdentity {
  /** 0: nobody; the directory was left in good order. */
  readonly pid: number;
  /** When it started: the kernel's own figure where there is /proc, else Unix milliseconds. */
  readonly started: string;
  /** The machine's start; empty where it has no such id. */
  readonly boot: string;
  /** In which processes are numbered: containers count for themselves. Empty where there are none. */
  readonly namespace: string;
}

/** `unknown`: in a container of its own, or not to be seen by us. */
export type Liveness = 'alive' | 'dead' | 'unknown';

export interface Processes {
  readonly self: ProcessIdentity;
  liveness(other: ProcessIdentity): Liveness;
}

/** What the kernel says of a process, or that it says nothing. */
export interface ProcessTable {
  /** The text of /proc/<pid>/stat; `undefined` where there is none. */
  stat(pid: number): string | undefined;
  /** Whether a signal could be sent: `ESRCH` is no such process. */
  signal(pid: number): 'ok' | 'ESRCH' | 'other';
}

export const NOBODY: ProcessIdentity = { pid: 0, started: '', boot: '', namespace: '' };

/** A start computed from the clock is not exact, and the clock may have been set meanwhile. */
const CLOCK_TOLERANCE_MS = 5_000;

export class KnownProcesses implements Processes {
  readonly self: ProcessIdentity;
  readonly #table: ProcessTable;

  constructor(self: ProcessIdentity, table: ProcessTable) {
    this.self = self;
    this.#table = table;
  }

  liveness(other: ProcessIdentity): Liveness {
    const { self } = this;
    if (other.pid === 0) return 'dead';
    if (other.boot !== self.boot) return 'dead';
    if (other.namespace !== self.namespace) return 'unknown';
    const hasTable = this.#table.stat(self.pid) !== undefined;
    if (other.pid === self.pid) return this.#isSelf(other, hasTable) ? 'alive' : 'dead';
    const stat = this.#table.stat(other.pid);
    if (stat !== undefined) return livenessByStat(stat, other.started);
    const answer = this.#table.signal(other.pid);
    if (answer === 'ESRCH') return 'dead';
    // A system with /proc has it for every process, unless it hides those of other users.
    return hasTable ? 'unknown' : 'alive';
  }

  /** The kernel's figure is exact, and must be: in a container every start may well get the same number. */
  #isSelf({ started }: ProcessIdentity, isExact: boolean): boolean {
    if (started === this.self.started) return true;
    return !isExact && Math.abs(Number(started) - Number(this.self.started)) < CLOCK_TOLERANCE_MS;
  }
}

function livenessByStat(stat: string, started: string): Liveness {
  const [state, start] = statFields(stat);
  // A zombie is dead, but nobody has asked for its exit code: common in containers without an init.
  if (state === 'Z' || state === 'X') return 'dead';
  return start === started ? 'alive' : 'dead';
}

/** State and start (fields 3 and 22, proc(5)). The name before them may hold blanks and brackets. */
function statFields(stat: string): readonly [state: string, started: string] {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return [fields[0] ?? '', fields[19] ?? ''];
}

const systemTable: ProcessTable = {
  stat: (pid) => textOf(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) || undefined,
  signal(pid) {
    try {
      process.kill(pid, 0);
      return 'ok';
    } catch (error) {
      return errorCode(error) === 'ESRCH' ? 'ESRCH' : 'other';
    }
  },
};

function textOf(read: () => string): string {
  try {
    return read().trim();
  } catch {
    return '';
  }
}

export function systemProcesses(): Processes {
  const stat = systemTable.stat(process.pid);
  const started =
    stat === undefined ? String(Math.round(Date.now() - process.uptime() * 1_000)) : statFields(stat)[1];
  const self: ProcessIdentity = {
    pid: process.pid,
    started,
    boot: textOf(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')),
    namespace: textOf(() => readlinkSync('/proc/self/ns/pid')),
  };
  return new KnownProcesses(self, systemTable);
}
