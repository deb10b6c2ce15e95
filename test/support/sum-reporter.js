import { appendFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/** More than these fail for a reason of their own, and not because others ran beside them. */
const MOST_AGAIN = 5;

/**
 * Counts a run: `N passed, N failed`. A suite that cannot start counts as a failure. With TEST_COUNTS the line is added to
 * that file, for whoever sums up several runs; without, it is the last line that the run prints. With TEST_AGAIN that file
 * lists the suites that failed, if they are few, and their tests are not counted: they are to be run again. Unit tests
 * wait for nothing and get no second run.
 */
export default class SumReporter {
  onRunComplete(_contexts, { testResults }) {
    const { TEST_COUNTS: counts, TEST_AGAIN: list } = process.env;
    const broken = testResults.filter(isBroken);
    const waiting = broken.filter(({ testFilePath }) => !testFilePath.includes('/test/unit/'));
    const again = list && broken.length <= MOST_AGAIN ? waiting : [];
    if (list) writeFileSync(list, again.map(({ testFilePath }) => `${relative('', testFilePath)}\n`).join(''));
    const counted = testResults.filter((result) => !again.includes(result));
    const passed = sum(counted, ({ numPassingTests }) => numPassingTests);
    const failed = sum(counted, (result) => (result.testExecError ? 1 : result.numFailingTests));
    const line = `${passed} passed, ${failed} failed\n`;
    if (counts) appendFileSync(counts, line);
    else setImmediate(() => process.stdout.write(line));
  }
}

function isBroken({ numFailingTests, testExecError }) {
  return numFailingTests > 0 || Boolean(testExecError);
}

function sum(results, numberOf) {
  return results.reduce((total, result) => total + numberOf(result), 0);
}
