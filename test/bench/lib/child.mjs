// Child processes, one per contestant where contestants must not disturb each other. A child imports a module and
// calls its `open(input)`; what that returns is an object of async functions, which the parent calls by name.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * @param module file URL of a module that exports `open(input)`
 * @param options `stdout`: a file descriptor for the child's own output; `quiet`: its stderr is not shown
 */
export async function openChild(module, input, { stdout = 'ignore', quiet = false } = {}) {
  const child = fork(fileURLToPath(new URL('child-main.mjs', import.meta.url)), [], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', stdout, quiet ? 'ignore' : 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`a child process of the benchmark ended early (${signal ?? code})`);
  });
  ended.catch(() => {});
  const ask = async (name, argument) => {
    const answered = once(child, 'message');
    child.send({ name, argument });
    const [answer] = await Promise.race([answered, ended]);
    if ('error' in answer) throw new Error(`${name}: ${answer.error}`);
    return answer.result;
  };
  await ask('open', { module: String(module), input });
  return {
    call: ask,
    async close() {
      const gone = once(child, 'exit');
      child.send({ name: 'end' });
      await gone;
    },
  };
}
