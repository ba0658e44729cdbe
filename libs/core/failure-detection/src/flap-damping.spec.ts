import { describe, expect, it } from '@jest/globals';
import { FlapDamping } from './flap-damping.js';
import { DETECTOR_DEFAULTS } from './settings.js';

const SETTINGS = DETECTOR_DEFAULTS.damping;

/** After as many returns at this distance: until when it is held, in seconds; 0: it is not. */
function heldFor(flaps: number, everyMs: number): number {
  const damping = new FlapDamping(SETTINGS);
  let now = 0;
  for (let i = 0; i < flaps; i++) damping.flap((now += everyMs));
  let seconds = 0;
  while (damping.isHeld(now + seconds * 1_000)) seconds += 1;
  return seconds;
}

describe('FlapDamping', () => {
  it('lets a member go that comes back now and then', () => {
    expect(heldFor(1, 1_000)).toBe(0);
    expect(heldFor(2, 1_000)).toBe(0);
    expect(heldFor(100, 15_000)).toBe(0);
  });

  it('holds one that goes to and fro, the longer the more often, for no longer than the longest hold', () => {
    // 2^-(1/15) + 2^-(2/15) + 1 = 2.87 after three returns a second apart, 3.74 after four: log2(3.74) half-lives.
    expect(heldFor(3, 1_000)).toBe(0);
    expect(heldFor(4, 1_000)).toBe(29);
    expect(heldFor(8, 1_000)).toBeGreaterThan(29);
    expect(heldFor(1_000, 1_000)).toBe(60);
  });

  it('holds again what goes on after it was released', () => {
    const damping = new FlapDamping(SETTINGS);
    for (let i = 0; i < 4; i++) damping.flap(i * 1_000);
    expect(damping.isHeld(3_000)).toBe(true);
    expect(damping.isHeld(40_000)).toBe(false);
    for (let i = 0; i < 3; i++) damping.flap(40_000 + i * 100);
    expect(damping.isHeld(40_300)).toBe(true);
  });
});
