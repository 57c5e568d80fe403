// Preloaded into the demo's app by scripts/demo.mjs, which holds the other end of standard input and never writes.
// When it is gone, killed even, its end of the pipe closes, and the app ends as on SIGTERM.
import { isMainThread } from 'node:worker_threads';

// Workers inherit what is preloaded, and have no standard input of their own.
if (isMainThread) {
  process.stdin.on('close', () => process.kill(process.pid, 'SIGTERM'));
  process.stdin.resume();
  process.stdin.unref();
}
