import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface EtlPlace {
  /** The stream it reads. */
  readonly source: string;
  /** Where its own log goes. */
  readonly logStream: string;
  /** Its SQLite file. */
  readonly file: string;
}

const MAIN = fileURLToPath(new URL('../../etl/main.js', import.meta.url));
const STOP_TIMEOUT_MS = 10_000;

/** The ETL worker, in a process of its own that can be killed and started again. */
export class EtlWorker {
  readonly #place: EtlPlace;
  #child: ChildProcess | undefined;
  #starts = 0;
  #kills = 0;

  constructor(place: EtlPlace) {
    this.#place = place;
  }

  get starts(): number {
    return this.#starts;
  }

  get kills(): number {
    return this.#kills;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Does nothing where it runs. */
  start(): void {
    if (this.isRunning) return;
    const { source, logStream, file } = this.#place;
    this.#starts++;
    this.#child = fork(MAIN, {
      // Out of the terminal's reach: Ctrl-C is for the demo, which lets the worker finish.
      detached: true,
      // Not what this process preloads. In Node 22 SQLite comes with a warning.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { ...process.env, ETL_SOURCE: source, ETL_LOG_STREAM: logStream, ETL_STORE: file },
    });
  }

  /** As by `kill -9`: it gets to know nothing of it. */
  async kill(): Promise<void> {
    if (!this.isRunning) return;
    this.#kills++;
    await this.#end('SIGKILL');
  }

  /** Lets it finish its batch and flush its log. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await this.#end('SIGTERM');
    clearTimeout(timer);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}
