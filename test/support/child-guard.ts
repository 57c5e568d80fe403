import { type ChildProcess, spawn } from 'node:child_process';

/**
 * Kills a child, by its pid, as soon as this process is gone, in whatever way it went. A test worker that is
 * killed runs no exit handler, but its pipes close: a tiny shell waits for that.
 *
 * Returns the function that ends the watch without harm; call it once the child has exited.
 */
export function killWithThisProcess(child: ChildProcess): () => void {
  const { pid } = child;
  if (pid === undefined) return () => {};
  const script = 'read -r line; [ "$line" = done ] || kill -9 "$0"';
  const watch = spawn('sh', ['-c', script, String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // Not in this process group: a Ctrl-C that ends the tests must leave the watch to do its work.
    detached: true,
  });
  watch.unref();
  // The watch may be gone before it is told so; a broken pipe is then no news.
  watch.stdin.on('error', () => {});
  return () => {
    watch.stdin.end('done\n');
  };
}
