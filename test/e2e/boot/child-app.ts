import { type ChildProcess, spawn } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { killWithThisProcess } from '../../support/child-guard.js';
import { until } from '../../support/until.js';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const COMPILER = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  verbatimModuleSyntax: true,
} satisfies ts.CompilerOptions;

/**
 * The package and the applications beside this file, compiled for plain Node: what happens at the start and at the end
 * of a process has to be seen in one of its own, without a test runner in it.
 */
export class Build {
  /** Below node_modules, so that packages are found from there. */
  readonly directory: string;

  /** `others`: globs of further files to compile. */
  constructor(others: readonly string[] = []) {
    const cache = join(root, 'node_modules', '.cache');
    mkdirSync(cache, { recursive: true });
    this.directory = mkdtempSync(join(cache, 'redis-log-e2e-'));
    writeFileSync(join(this.directory, 'package.json'), '{ "name": "app-under-test", "type": "module" }\n');
    for (const file of globSync(['src/**/*.ts', 'test/e2e/boot/apps/*.ts', ...others], { cwd: root }))
      this.#compile(file);
  }

  /** A file of the package or an application, such as `src/core` or `test/e2e/boot/apps/http`. */
  path(name: string): string {
    return join(this.directory, `${name}.js`);
  }

  app(name: string): string {
    return this.path(`test/e2e/boot/apps/${name}`);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  #compile(file: string): void {
    const source = readFileSync(join(root, file), 'utf8');
    const { outputText } = ts.transpileModule(source, { compilerOptions: COMPILER, fileName: file });
    const target = join(this.directory, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process and what it prints. It ends with the test at the latest. */
export class ChildApp {
  stdout = '';
  stderr = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  /** `args`: those of `node`. */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const clean = Object.entries(process.env).filter(
      ([name]) => !/^(REDIS_|OTEL_|NEST_|NODE_OPTIONS$|VITEST)/.test(name),
    );
    const child = spawn(process.execPath, args, {
      env: { ...Object.fromEntries(clean), NODE_ENV: 'production', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const release = killWithThisProcess(child);
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.ended = new Promise((resolve) => {
      // `close` and not `exit`: only then is all of its output here.
      child.once('close', (code, signal) => {
        release();
        resolve({ code, signal });
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The first line of stdout that starts with `word`, without that word. */
  async line(word: string): Promise<string> {
    const pattern = new RegExp(`^${word} (.*)\n`, 'm');
    const match = await until(
      () => {
        if (this.#child.exitCode !== null) throw new Error(`The process ended. It printed: ${this.stderr}`);
        return pattern.exec(this.stdout);
      },
      { timeoutMs: 20_000, what: `the application to print "${word}"` },
    );
    return match[1] ?? '';
  }
}
