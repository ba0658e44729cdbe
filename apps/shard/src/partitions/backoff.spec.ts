import { describe, expect, it } from '@jest/globals';
import { Backoff } from './backoff.js';

describe('Backoff', () => {
  it('doubles up to its bound, and forgets after a long enough run', () => {
    let now = 0;
    const backoff = new Backoff(
      { firstMs: 100, maxMs: 500, forgetAfterMs: 10_000 },
      { monotonicMs: () => now, wallMs: () => now },
    );
    expect([1, 2, 3, 4].map(() => backoff.failed())).toEqual([100, 200, 400, 500]);
    backoff.started();
    now += 9_999;
    expect(backoff.failed()).toBe(500);
    backoff.started();
    now += 10_001;
    expect(backoff.failed()).toBe(100);
    now += 20_000;
    // Attempts that fail, however long they take, are no run.
    expect(backoff.failed()).toBe(200);
  });
});
