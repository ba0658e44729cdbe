import { describe, expect, it } from '@jest/globals';
import { TargetLoads } from './target-loads.js';

const [ONE, HALF_LIFE_MS] = [1, 10_000 * Math.LN2];

describe('TargetLoads', () => {
  it('counts what is under way, whatever ends twice', () => {
    const loads = new TargetLoads();
    for (const now of [0, 0, 0]) loads.began('a', now);
    loads.ended('a', 0, 1);
    expect([loads.inFlight('a'), loads.inFlight('b')]).toEqual([2, 0]);
    for (const now of [2, 3, 4]) loads.ended('a', 0, now);
    expect(loads.inFlight('a')).toBe(0);
  });

  it('takes a slower answer at its word, and faster ones by and by', () => {
    const loads = new TargetLoads();
    loads.ended('a', 0, 10);
    expect(loads.cost('a', ONE, 10)).toBe(10);
    loads.ended('a', 0, 100);
    expect(loads.cost('a', ONE, 100)).toBe(100);
    const later = 100 + HALF_LIFE_MS;
    expect(loads.cost('a', ONE, later)).toBeCloseTo(50);
    // Half of what it was, half of what this one took.
    loads.ended('a', later - 20, later);
    expect(loads.cost('a', ONE, later)).toBeCloseTo(60);
  });

  it('counts as slow what has been silent with something under way, since the last answer', () => {
    const loads = new TargetLoads();
    loads.ended('a', 1_000, 1_001);
    loads.began('a', 2_000);
    expect(loads.cost('a', ONE, 2_500)).toBe(500 * 2);
    loads.began('a', 2_600);
    expect(loads.cost('a', ONE, 3_000)).toBe(1_000 * 3);
    loads.ended('a', 3_000, 3_000);
    expect(loads.cost('a', ONE, 3_400)).toBe(400 * 2);
    loads.ended('a', 3_400, 3_400);
    expect(loads.cost('a', ONE, 9_000)).toBeLessThan(1);
  });

  it('prefers one that was never asked, until it has something under way; a greater capacity carries more', () => {
    const loads = new TargetLoads();
    expect(loads.cost('a', ONE, 0)).toBe(0);
    loads.began('a', 0);
    expect(loads.cost('a', ONE, 1)).toBe(1_000 * 2);
    expect(loads.cost('a', 4, 1)).toBe(1_000 * 1.25);
  });
});
