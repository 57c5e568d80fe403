import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { killWithThisProcess } from '../support/child-guard.js';
import type { AppSettings, Question, Sample } from './protocol.js';

const APP = fileURLToPath(new URL('app.ts', import.meta.url));
const TYPESCRIPT = new URL('typescript.mjs', import.meta.url).href;

/** Starts the app under test in a process of its own, so that what is measured there is its own doing. */
export async function startApp(settings: AppSettings): Promise<AppProcess> {
  // Node strips types by itself since 22.18.
  const stripTypes = process.features.typescript ? [] : ['--experimental-strip-types'];
  const child = fork(APP, [JSON.stringify(settings)], { execArgv: [...stripTypes, '--import', TYPESCRIPT] });
  const app = new AppProcess(child);
  await app.answer();
  return app;
}

export class AppProcess {
  readonly #child: ChildProcess;
  readonly #release: () => void;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#release = killWithThisProcess(child);
  }

  async ask(question: Question): Promise<Sample> {
    this.#child.send(question);
    return (await this.answer()) as Sample;
  }

  /** The next message; an error when the app ends instead. */
  async answer(): Promise<unknown> {
    const ending = new AbortController();
    const message = once(this.#child, 'message', { signal: ending.signal });
    const exit = once(this.#child, 'exit', { signal: ending.signal }).then(([code]) => {
      throw new Error(`The app under test ended with code ${String(code)}.`);
    });
    try {
      const [first] = await Promise.race([message, exit]);
      return first;
    } finally {
      ending.abort();
      await Promise.allSettled([message, exit]);
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return this.#release();
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
    this.#release();
  }
}
