// Preloaded into the demo's app by scripts/demo.mjs, which holds the other end of standard input and never writes.
// When it is gone, killed even, its end of the pipe closes, and the app ends as on SIGTERM.
process.stdin.on('close', () => process.kill(process.pid, 'SIGTERM'));
process.stdin.resume();
process.stdin.unref();
