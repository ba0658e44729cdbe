import { describe, expect, it } from '@jest/globals';
import { DEFAULT_RETRY_TIMINGS, RetryBudget, attemptTimeoutMs, backOffMs } from './retry-policy.js';

describe('attemptTimeoutMs', () => {
  it('doubles up to a bound', () => {
    const timeouts = [1, 2, 3, 4, 5, 60].map((attempt) =>
      attemptTimeoutMs(DEFAULT_RETRY_TIMINGS, attempt, 100),
    );
    expect(timeouts).toEqual([1_000, 2_000, 4_000, 4_000, 4_000, 4_000]);
  });

  it('is longer for what takes longer because it is large', () => {
    expect(attemptTimeoutMs(DEFAULT_RETRY_TIMINGS, 1, 1_048_576)).toBe(1_000 + 4_096);
  });
});

describe('backOffMs', () => {
  it('is random in its upper half, and bounded', () => {
    expect([backOffMs(DEFAULT_RETRY_TIMINGS, 1, 0), backOffMs(DEFAULT_RETRY_TIMINGS, 1, 0.5)]).toEqual([
      10, 15,
    ]);
    expect(backOffMs(DEFAULT_RETRY_TIMINGS, 1_000, 0.999)).toBeLessThan(400);
    expect(backOffMs(DEFAULT_RETRY_TIMINGS, 0, 0)).toBe(10);
  });
});

describe('RetryBudget', () => {
  it('lets as many retries through as it holds, then one for every so many successes', () => {
    const budget = new RetryBudget(3, 0.5, 0, 0);
    expect(Array.from({ length: 4 }, () => budget.take(0))).toEqual([true, true, true, false]);
    budget.succeeded();
    expect(budget.take(0)).toBe(false);
    budget.succeeded();
    expect(budget.take(0)).toBe(true);
  });

  it('fills as time passes, up to its bound', () => {
    const budget = new RetryBudget(2, 0, 1, 0);
    expect([budget.take(0), budget.take(0), budget.take(500)]).toEqual([true, true, false]);
    expect([budget.take(1_500), budget.take(1_500)]).toEqual([true, false]);
    const muchLater = 1_000_000;
    expect([budget.take(muchLater), budget.take(muchLater), budget.take(muchLater)]).toEqual([
      true,
      true,
      false,
    ]);
  });
});
