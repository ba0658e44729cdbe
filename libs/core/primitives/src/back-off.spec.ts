import { describe, expect, it } from '@jest/globals';
import { backOffMs, jittered, RestartBackOff } from './back-off.js';

const BOUNDS = { firstMs: 100, maxMs: 10_000 };

describe('a back-off', () => {
  it('doubles from the first wait up to the bound', () => {
    expect([0, 1, 2, 3, 4, 20, 5_000].map((failures) => backOffMs(BOUNDS, failures))).toEqual([
      100, 100, 200, 400, 800, 10_000, 10_000,
    ]);
  });

  it('is half random', () => {
    expect([0, 0.5, 1].map((random) => jittered(100, random))).toEqual([50, 75, 100]);
  });

  it('begins anew after a long life, and only then', () => {
    const backOff = new RestartBackOff(BOUNDS, 1_000);
    expect(backOff.failed(0)).toBe(100);
    backOff.started(10);
    expect(backOff.failed(1_010)).toBe(200);
    backOff.started(2_000);
    expect(backOff.failed(3_001)).toBe(100);
    // A start that failed is no life at all, however long ago the last one was.
    expect(backOff.failed(100_000)).toBe(200);
  });
});
