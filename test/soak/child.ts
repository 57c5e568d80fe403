import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { killWithThisProcess } from '../support/child-guard.js';
import type { AppSettings, Question, Sample, Verified, VerifierSettings } from './protocol.js';

const TYPESCRIPT = new URL('typescript.mjs', import.meta.url).href;

/** The app under test, in a process of its own so that what is measured there is its own doing. */
export function startApp(settings: AppSettings): Promise<Child<Sample>> {
  return start<Sample>('app.ts', settings);
}

/** The one who reads along, in a process of its own so that the proxy need not wait for it. */
export function startVerifier(settings: VerifierSettings): Promise<Child<Verified>> {
  return start<Verified>('verifier.ts', settings);
}

async function start<Answer>(file: string, settings: object): Promise<Child<Answer>> {
  // Node strips types by itself since 22.18.
  const stripTypes = process.features.typescript ? [] : ['--experimental-strip-types'];
  const execArgv = [...stripTypes, '--import', TYPESCRIPT];
  const program = fileURLToPath(new URL(file, import.meta.url));
  const child = new Child<Answer>(fork(program, [JSON.stringify(settings)], { execArgv }));
  await child.answer();
  return child;
}

/** A process that is asked one thing at a time and answers each. */
export class Child<Answer> {
  readonly #process: ChildProcess;
  readonly #release: () => void;

  constructor(process: ChildProcess) {
    this.#process = process;
    this.#release = killWithThisProcess(process);
  }

  async ask(question: Question): Promise<Answer> {
    this.#process.send(question);
    return (await this.answer()) as Answer;
  }

  /** The next message; an error when the process ends instead. */
  async answer(): Promise<unknown> {
    const ending = new AbortController();
    const message = once(this.#process, 'message', { signal: ending.signal });
    const exit = once(this.#process, 'exit', { signal: ending.signal }).then(([code]) => {
      throw new Error(`A process of the soak ended with code ${String(code)}.`);
    });
    try {
      const [first] = await Promise.race([message, exit]);
      return first;
    } finally {
      ending.abort();
      await Promise.allSettled([message, exit]);
    }
  }

  /** Ends it by SIGKILL, if it has not ended yet, and waits until it is gone. */
  async kill(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      const exited = once(this.#process, 'exit');
      this.#process.kill('SIGKILL');
      await exited;
    }
    this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
