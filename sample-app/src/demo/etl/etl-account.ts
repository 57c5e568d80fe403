/** What became of the errors: in the stream, by reading it again, and in the store. Part of `--json`. */
export interface EtlAccount {
  readonly group: string;
  readonly errorsInStream: number;
  readonly errorsInStore: number;
  /** In the stream and not in the store. */
  readonly missing: number;
  /** In the store and not in the stream. */
  readonly unknown: number;
  /** Rows beyond the first of one entry. */
  readonly storedTwice: number;
  /** Errors that the worker got more than once, and stored once. */
  readonly deliveredAgain: number;
  readonly starts: number;
  readonly kills: number;
  /** False where it had not read and acknowledged everything when the time was up. */
  readonly caughtUp: boolean;
}

export interface EtlFacts {
  readonly group: string;
  readonly starts: number;
  readonly kills: number;
  readonly caughtUp: boolean;
  readonly rows: readonly { readonly key: string; readonly entryId: string; readonly deliveries: number }[];
}

/** `inStream` are the keys of the errors that the stream holds. */
export function makeEtlAccount(facts: EtlFacts, inStream: ReadonlySet<string>): EtlAccount {
  const { group, starts, kills, caughtUp, rows } = facts;
  const stored = new Set(rows.map(({ key }) => key));
  return {
    group,
    errorsInStream: inStream.size,
    errorsInStore: rows.length,
    missing: [...inStream].filter((key) => !stored.has(key)).length,
    unknown: [...stored].filter((key) => !inStream.has(key)).length,
    storedTwice: rows.length - new Set(rows.map(({ entryId }) => entryId)).size,
    deliveredAgain: rows.filter(({ deliveries }) => deliveries > 1).length,
    starts,
    kills,
    caughtUp,
  };
}

/** One sentence for each thing that is not as it should be. */
export function etlProblems(etl: EtlAccount): string[] {
  const checks: readonly (readonly [holds: boolean, problem: string])[] = [
    [etl.caughtUp, 'The ETL worker did not get to the end of the stream in time.'],
    [etl.missing === 0, `${etl.missing} errors are in the stream and not in the store.`],
    [etl.unknown === 0, `${etl.unknown} errors are in the store and not in the stream.`],
    [etl.storedTwice === 0, `${etl.storedTwice} errors are in the store twice.`],
  ];
  return checks.filter(([holds]) => !holds).map(([, problem]) => problem);
}
