import { describe, expect, it } from '@jest/globals';
import { stopBoundMs, stopBudget } from './start-service.js';

describe('the time for a stop', () => {
  const bound = (boundMs: number | undefined, pauseMs: number): number =>
    stopBoundMs(
      { stopWithinMs: 30_000 },
      { RINGLEADER_STOP_WITHIN_MS: boundMs, RINGLEADER_DRAIN_PAUSE_MS: pauseMs },
    );

  it('is what the service needs after its pause, or as long as it is told', () => {
    expect(bound(undefined, 0)).toBe(30_000);
    expect(bound(undefined, 60_000)).toBe(90_000);
    expect(bound(10_000, 5_000)).toBe(10_000);
  });

  it('is refused where it ends within the pause', () => {
    expect(() => bound(5_000, 5_000)).toThrow(/RINGLEADER_STOP_WITHIN_MS \(5000\) must be longer than/);
  });
});

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
