import { describe, expect, it } from '@jest/globals';
import { Tally } from './tally.mjs';

const file = (status: string, ...tests: string[]) => ({
  name: 'a.spec.ts',
  status,
  assertionResults: tests.map((result, i) => ({ status: result, fullName: `test ${i}` })),
});

describe('Tally', () => {
  it('counts tests, and each check as one', () => {
    const tally = new Tally();
    tally.addCheck('lint', true);
    tally.addCheck('format', false);
    tally.addJest('unit', {
      numPassedTests: 2,
      numPendingTests: 1,
      numTodoTests: 1,
      testResults: [file('failed', 'passed', 'failed'), file('passed', 'passed', 'pending', 'todo')],
    });
    expect(tally.summary()).toBe('3 passed, 2 failed, 2 skipped');
    expect(tally.failures).toEqual(['format', 'unit: test 1']);
  });

  it('counts a file that could not be loaded, and a run that did not end', () => {
    const tally = new Tally();
    tally.addJest('unit', {
      numPassedTests: 0,
      numPendingTests: 0,
      numTodoTests: 0,
      testResults: [file('failed')],
    });
    tally.addJest('medium', undefined);
    expect(tally.summary()).toBe('0 passed, 2 failed');
  });
});
