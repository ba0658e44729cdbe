import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { SLOW_START_DEFAULT, SlowStart } from './slow-start.js';

const start = (options: Partial<typeof SLOW_START_DEFAULT> = {}): SlowStart =>
  new SlowStart({ ...SLOW_START_DEFAULT, ...options });

describe('SlowStart', () => {
  it('lets who is new have a tenth, and then a share in proportion to the time, up to all of it', () => {
    const slow = start();
    const ramps = [0, 500, 1_000, 2_000, 5_000, 9_000, 10_000, 60_000].map((now) =>
      slow.ramp('a', false, now),
    );
    expect(ramps).toEqual([0.1, 0.1, 0.1, 0.2, 0.5, 0.9, 1, 1]);
  });

  it('begins anew when a doubt is over, and only then', () => {
    const slow = start();
    expect(slow.ramp('a', false, 0)).toBe(0.1);
    expect(slow.ramp('a', false, 20_000)).toBe(1);
    expect(slow.ramp('a', true, 20_100)).toBe(0.1);
    expect(slow.ramp('a', true, 50_000)).toBe(0.1);
    expect(slow.ramp('a', false, 50_100)).toBe(0.1);
    expect(slow.ramp('a', false, 55_100)).toBe(0.5);
    expect(slow.ramp('b', false, 55_100)).toBe(0.1);
  });

  it('follows Envoy’s formula', () => {
    // 5 s of 10 s, to the power of one half and of two.
    expect(rampAt(5_000, { aggression: 2 })).toBeCloseTo(Math.SQRT1_2, 10);
    expect(rampAt(5_000, { aggression: 0.5 })).toBeCloseTo(0.25, 10);
  });

  it('gives the full share at once where the window is 0', () => {
    expect(start({ windowMs: 0 }).ramp('a', false, 0)).toBe(1);
  });

  it('never takes anything back, and ends with everything', () => {
    const times = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(times, fc.double({ min: 0.2, max: 5, noNaN: true }), (moments, aggression) => {
        const slow = start({ aggression });
        const sorted = [0, ...[...moments].sort((a, b) => a - b), 30_000];
        const ramps = sorted.map((now) => slow.ramp('a', false, now));
        expect(ramps).toEqual([...ramps].sort((a, b) => a - b));
        expect(ramps.at(-1)).toBe(1);
        expect(ramps[0]).toBe(0.1);
      }),
    );
  });
});

function rampAt(ms: number, options: Partial<typeof SLOW_START_DEFAULT>): number {
  const slow = start(options);
  slow.ramp('a', false, 0);
  return slow.ramp('a', false, ms);
}
