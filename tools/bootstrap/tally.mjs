/** Sums up what ran: every test, and every check as one test. */
export class Tally {
  passed = 0;
  skipped = 0;
  /** Names of what failed, to be repeated at the end of a long log. */
  failures = [];

  addCheck(name, succeeded) {
    if (succeeded) this.passed += 1;
    else this.failures.push(name);
  }

  /** A suite that cannot run here. */
  addSkipped() {
    this.skipped += 1;
  }

  /** The result of a Jest run (its --json), or undefined when it did not live to write one. */
  addJest(name, result) {
    if (result === undefined) {
      this.failures.push(`${name}: the run ended before its tests did`);
      return;
    }
    this.passed += result.numPassedTests;
    this.skipped += result.numPendingTests + result.numTodoTests;
    for (const file of result.testResults) {
      const failed = file.assertionResults.filter(({ status }) => status === 'failed');
      this.failures.push(...failed.map(({ fullName }) => `${name}: ${fullName}`));
      // A file that cannot be loaded has no tests that could fail.
      if (failed.length === 0 && file.status === 'failed') this.failures.push(`${name}: ${file.name}`);
    }
  }

  /** The last line of a run, for people and programs. */
  summary() {
    const skipped = this.skipped === 0 ? '' : `, ${this.skipped} skipped`;
    return `${this.passed} passed, ${this.failures.length} failed${skipped}`;
  }
}
