import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startApp } from './child.js';
import { type Note, readNote } from './notes.js';
import type { AppSettings, Question, Sample } from './protocol.js';

/** What is known of an app that was killed. */
export interface Life extends Note {
  /** The name of its producer. */
  readonly name: string;
}

export type SpooledAppSettings = Pick<AppSettings, 'url' | 'stream' | 'rate'>;

export async function startSpooledApp(settings: SpooledAppSettings): Promise<SpooledApp> {
  const app = new SpooledApp(settings, await mkdtemp(join(tmpdir(), 'rl-soak-')));
  await app.start();
  return app;
}

/** An app with a spool, to be killed: its next life, under another name, finds what the last one left behind. */
export class SpooledApp implements AsyncDisposable {
  /** Those that are over. */
  readonly lives: Life[] = [];
  readonly #settings: SpooledAppSettings;
  readonly #directory: string;
  #child: Child<Sample> | undefined;

  constructor(settings: SpooledAppSettings, directory: string) {
    this.#settings = settings;
    this.#directory = directory;
  }

  /** Of the producer that is alive. */
  get name(): string {
    return `spooled-${this.lives.length}`;
  }

  async start(): Promise<void> {
    const spool = { directory: join(this.#directory, 'spool'), notes: this.#notes };
    this.#child = await startApp({ ...this.#settings, names: [this.name], spool });
  }

  ask(question: Question): Promise<Sample> {
    if (this.#child === undefined) throw new Error('The app with the spool does not run.');
    return this.#child.ask(question);
  }

  /** SIGKILL, and a new life at once. */
  async restart(): Promise<void> {
    await this.#child?.kill();
    this.lives.push({ name: this.name, ...readNote(this.#notes) });
    await this.start();
  }

  get #notes(): string {
    return join(this.#directory, `${this.name}.json`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
