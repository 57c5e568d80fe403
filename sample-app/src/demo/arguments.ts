import { parseArgs } from 'node:util';
import { DemoProblem } from './demo-problem.js';

export interface DemoArguments {
  readonly seconds: number;
  /** Where the account is written as JSON. */
  readonly jsonFile: string | undefined;
  /** Print every record even where nobody watches. */
  readonly verbose: boolean;
}

/**
 * The demo ends by itself, so that one that is forgotten does not fill a Redis: in an hour it writes about
 * 270,000 entries (75 a second, measured), a quarter of what a stream keeps by default. So nothing of it is
 * trimmed either, and the whole stream can be checked.
 */
const MAX_SECONDS = 3_600;

const USAGE = 'Usage: npm run demo -- [--seconds N] [--json FILE] [--verbose]';

/** @throws DemoProblem with what is wrong and how the demo is called */
export function parseDemoArguments(args: readonly string[]): DemoArguments {
  const { values } = parse(args);
  const seconds = Number(values.seconds ?? MAX_SECONDS);
  if (!(seconds > 0 && seconds <= MAX_SECONDS)) {
    throw new DemoProblem(`--seconds takes a number up to ${MAX_SECONDS}.\n${USAGE}`);
  }
  return { seconds, jsonFile: values.json, verbose: values.verbose };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        seconds: { type: 'string' },
        json: { type: 'string' },
        verbose: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new DemoProblem(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}
