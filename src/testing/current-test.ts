import type { CollectedRecord } from './collected-record.js';
import { describeInFull } from './describe-record.js';
import { CURRENT_TEST, type CurrentTestSlot } from './test-slot.js';

/** What one failed test prints at most; the latest records are the ones that matter. */
const MAX_RECORDS = 1_000;

/** The records of the test that runs, with those of the hooks before it. */
class CurrentTest {
  #records: CollectedRecord[] = [];
  #leftOut = 0;

  note(record: CollectedRecord): void {
    this.#records.push(record);
    if (this.#records.length <= MAX_RECORDS) return;
    this.#records.shift();
    this.#leftOut++;
  }

  /** Ends the test; returns what to print should it have failed. */
  end(name: string): string {
    const records = this.#records;
    const more = this.#leftOut > 0 ? `, the last of ${records.length + this.#leftOut}` : '';
    this.#records = [];
    this.#leftOut = 0;
    if (records.length === 0) return '';
    const lines = records.map((record) => describeInFull(record));
    return [`--- Logged by "${name}" (${counted(records.length)}${more})`, ...lines, '---', ''].join('\n');
  }
}

function counted(count: number): string {
  return count === 1 ? '1 record' : `${count} records`;
}

/** On `globalThis`: the package may be loaded twice, and the environment of Jest looks in from outside. */
const slot = globalThis as CurrentTestSlot;

/** From now on records are kept until the end of their test. */
export function followTests(): CurrentTest {
  const test = (slot[CURRENT_TEST] as CurrentTest | undefined) ?? new CurrentTest();
  slot[CURRENT_TEST] = test;
  return test;
}

export function noteForTest(record: CollectedRecord): void {
  (slot[CURRENT_TEST] as CurrentTest | undefined)?.note(record);
}
