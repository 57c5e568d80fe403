import type { Runtime } from '../../../src/pipeline/runtime.js';
import {
  KnownProcesses,
  type ProcessIdentity,
  type Processes,
} from '../../../src/pipeline/spool/processes.js';
import { Spool, type SpoolOptions, type SpoolProblem } from '../../../src/pipeline/spool/spool.js';
import type { MemoryDisk } from './memory-disk.js';

export const ROOT = '/data/spool';

/** A clock that goes when it is told to. */
export class ManualRuntime implements Runtime {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly callback: () => void }[] = [];

  readonly now = (): number => this.#nowMs;
  readonly random = (): number => 0.5;

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Lets time pass, and all that is under way come to rest. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = this.#timers.toSorted((one, other) => one.atMs - other.atMs)[0];
      if (next === undefined || next.atMs > end) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = next.atMs;
      next.callback();
      await settled();
    }
    this.#nowMs = end;
    await settled();
  }
}

/** Everything that needs no time has happened: a disk in memory has only microtasks. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The processes of one machine. */
export class Machine {
  #pids = 100;
  readonly #alive = new Map<number, string>();

  start(): { readonly processes: Processes; readonly kill: () => void } {
    const pid = ++this.#pids;
    const self: ProcessIdentity = { pid, started: String(pid * 7), boot: 'boot-1', namespace: 'pid:[1]' };
    this.#alive.set(pid, self.started);
    const processes = new KnownProcesses(self, {
      stat: (other) => {
        const started = this.#alive.get(other);
        return started === undefined ? undefined : statText(other, started);
      },
      signal: (other) => (this.#alive.has(other) ? 'ok' : 'ESRCH'),
    });
    return { processes, kill: () => void this.#alive.delete(pid) };
  }
}

/** A line as /proc/<pid>/stat has it, with a name that is no help to whoever splits it at blanks. */
export function statText(pid: number, started: string, state = 'S'): string {
  return `${pid} (no) de) ${state} ${Array.from({ length: 18 }, () => '0').join(' ')} ${started} 0 0`;
}

export interface Problem {
  readonly code: SpoolProblem;
  readonly text: string;
}

/** A process with a spool on a disk in memory. */
export class FakeProcess {
  readonly runtime = new ManualRuntime();
  readonly problems: Problem[] = [];
  readonly options: SpoolOptions;
  readonly kill: () => void;

  constructor(disk: MemoryDisk, machine: Machine, options: Partial<SpoolOptions> = {}) {
    const { processes, kill } = machine.start();
    this.kill = kill;
    this.options = {
      directory: ROOT,
      maxBytes: 1_000_000,
      files: disk.files(),
      processes,
      runtime: this.runtime,
      problem: (code, text) => this.problems.push({ code, text }),
      ...options,
    };
  }

  open(): Promise<Spool> {
    return Spool.open(this.options);
  }

  /** Codes of all problems so far. */
  get codes(): readonly SpoolProblem[] {
    return this.problems.map(({ code }) => code);
  }
}
