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
    const result = await runClosedLoop({
      connections: 3,
      warmUpMs: 0,
      durationMs: 50,
      request: async (_, n) => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await new Promise((resolve) => setImmediate(resolve));
        inFlight -= 1;
        return n % 2 === 0;
      },
    });
    expect(most).toBe(3);
    expect(result.requests).toBeGreaterThan(0);
    expect(result.failures).toBeGreaterThan(0);
  });
});
