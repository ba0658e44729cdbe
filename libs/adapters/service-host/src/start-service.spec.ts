import { describe, expect, it } from '@jest/globals';
import { stopBudget } from './start-service.js';

describe('the time for handing over', () => {
  it.each([
    [90_000, 0, 20_000],
    [30_000, 0, 15_000],
    [30_000, 10_000, 10_000],
    [500, 0, 250],
    [500, 1_000, 0],
  ])('of a stop within %d ms that begins with a pause of %d is %d', (stopWithinMs, pauseMs, handOverMs) => {
    expect(stopBudget(stopWithinMs, pauseMs)).toEqual({ handOverMs });
  });
});
