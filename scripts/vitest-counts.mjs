// A vitest reporter that writes the counts for scripts/test.mjs: vitest's JSON report leaves out why a test was
// skipped, and does not count what failed outside of a test.
import { writeFileSync } from 'node:fs';

/** Writes `{ passed, failed, skipped: [{ name, reason }] }` to the file named by VITEST_COUNTS_FILE. */
// vitest loads a reporter by its default export.
export default class CountsReporter {
  onTestRunEnd(modules, unhandledErrors, reason) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: [] };
    for (const module of modules) countModule(module, counts);
    if (reason === 'interrupted') counts.failed += 1;
    writeFileSync(process.env.VITEST_COUNTS_FILE, JSON.stringify(counts));
  }
}

function countModule(module, counts) {
  if (module.errors().length > 0) counts.failed += 1;
  for (const suite of module.children.allSuites()) {
    if (suite.errors().length > 0) counts.failed += 1;
  }
  for (const test of module.children.allTests()) {
    const { state, note } = test.result();
    if (state === 'passed') counts.passed += 1;
    else if (state === 'skipped') counts.skipped.push({ name: test.fullName, reason: note });
    else counts.failed += 1;
  }
}
