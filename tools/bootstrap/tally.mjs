/** Sums up what ran: every test, and every check as one test. */
export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;
  /** Names of what failed, to be repeated at the end of a long log. */
  failures = [];

  addCheck(name, succeeded) {
    if (succeeded) this.passed += 1;
    else this.#fail(name);
  }

  /** The result of a Jest run (its --json), or undefined when it did not live to write one. */
  addJest(name, result) {
    if (result === undefined) {
      this.#fail(`${name}: the run ended before its tests did`);
      return;
    }
    this.passed += result.numPassedTests;
    this.skipped += result.numPendingTests + result.numTodoTests;
    for (const file of result.testResults) this.#addFile(name, file);
  }

  #addFile(name, file) {
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    for (const test of failed) this.#fail(`${name}: ${test.fullName}`);
    // A file that cannot be loaded has no tests that could fail.
    if (failed.length === 0 && file.status === 'failed') this.#fail(`${name}: ${file.name}`);
  }

  #fail(name) {
    this.failed += 1;
    this.failures.push(name);
  }

  /** The last line of a run, for people and programs. */
  summary() {
    const skipped = this.skipped === 0 ? '' : `, ${this.skipped} skipped`;
    return `${this.passed} passed, ${this.failed} failed${skipped}`;
  }
}
