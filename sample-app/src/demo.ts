import { parseDemoArguments } from './demo/arguments.js';
import { DemoProblem } from './demo/demo-problem.js';
import { prepareEnvironment } from './demo/environment.js';

/** Runs the shop with traffic, shows its logs as they land in Redis, and accounts for them. */
async function main(): Promise<number> {
  try {
    const args = parseDemoArguments(process.argv.slice(2));
    const settings = prepareEnvironment(process.env);
    // Loaded only now: both read the environment, and tracing comes before whatever it instruments.
    await import('./tracing.js');
    const { runDemo } = await import('./demo/run-demo.js');
    return (await runDemo(args, settings)) ? 0 : 1;
  } catch (error) {
    const text = error instanceof DemoProblem ? error.message : error instanceof Error ? error.stack : error;
    process.stderr.write(`${String(text)}\n`);
    return 1;
  }
}

process.exitCode = await main();
