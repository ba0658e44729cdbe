import { describe, expect, it } from '@jest/globals';
import { percentile, runClosedLoop } from './closed-loop.js';

describe('percentile', () => {
  it('takes the nearest rank', () => {
    const sorted = Array.from({ length: 100 }, (_, i) => i + 1);
    expect(percentile(sorted, 0.5)).toBe(50);
    expect(percentile(sorted, 0.99)).toBe(99);
    expect(percentile([7], 0.99)).toBe(7);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('runClosedLoop', () => {
  it('counts successes and failures apart, one request per connection at a time', async () => {
    let inFlight = 0;
    let most = 0;
    // Time is what was done: a request takes 2 ms, whatever the machine has to do besides.
    let nowMs = 0;
    const phases: string[] = [];
    const result = await runClosedLoop({
      connections: 3,
      warmUpMs: 10,
      durationMs: 50,
      now: () => nowMs,
      onMeasuring: (phase) => phases.push(`${phase} at ${nowMs}`),
      request: async (_, n) => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight -= 1;
        nowMs += 2;
        return n % 2 === 0;
      },
    });
    expect(most).toBe(3);
    // Of those that ended from 10 to 60 ms, one every 2 ms.
    expect(result.requests + result.failures).toBe(26);
    expect(result.requests).toBeGreaterThan(10);
    expect(result.failures).toBeGreaterThan(10);
    expect(result).toMatchObject({ seconds: 0.05, requestsPerSecond: result.requests / 0.05 });
    expect(result.maxMs).toBeLessThanOrEqual(6);
    expect(phases).toEqual(['begin at 10', 'end at 64']);
  });
});
