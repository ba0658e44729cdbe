import { describe, expect, it } from '@jest/globals';
import { AHEAD_MS_MAX, HYBRID_CLOCKS_DIFFER_MS_MAX, WALL_CLOCKS_DIFFER_MS_MAX } from './hybrid-clock.js';
import { packHybridTime } from './hybrid-clock.js';
import { HybridClock } from './process-clock.js';

const WALL_MS = 1_790_000_000_000;
const at = (wallMs: number): number => packHybridTime({ wallMs, counter: 0 });

function clockAt(wallMs: number): HybridClock {
  return new HybridClock({ monotonicMs: () => 0, wallMs: () => wallMs });
}

describe('HybridClock', () => {
  it('goes past what it hears, unless that is too far ahead, which it counts', () => {
    const clock = clockAt(WALL_MS);
    clock.merge(at(WALL_MS + AHEAD_MS_MAX));
    expect(clock.stamp()).toBe(at(WALL_MS + AHEAD_MS_MAX) + 1);
    clock.merge(at(WALL_MS + AHEAD_MS_MAX + 1));
    expect(clock.stamp()).toBe(at(WALL_MS + AHEAD_MS_MAX) + 2);
    expect(clock.refused).toBe(1);
  });

  it('never is further from another than S, whatever each of them heard', () => {
    const [ahead, behind] = [clockAt(WALL_MS + WALL_CLOCKS_DIFFER_MS_MAX), clockAt(WALL_MS)];
    ahead.merge(at(WALL_MS + WALL_CLOCKS_DIFFER_MS_MAX + AHEAD_MS_MAX));
    const differMs = (ahead.stamp() - behind.stamp()) / 1_024;
    expect(differMs).toBeGreaterThan(AHEAD_MS_MAX);
    expect(Math.floor(differMs)).toBeLessThanOrEqual(HYBRID_CLOCKS_DIFFER_MS_MAX);
  });
});
