import { describe, expect, it } from '@jest/globals';
import { CONTROLS } from './controls/index.js';
import { PINNED } from './pinned-seeds.js';
import { paxosSuite } from './suite.js';

/** By how much another draw may move a run that finds the bug. */
const SEEDS = 20;

describe('bugs of docs/BUGS.md: found from a pinned seed on without their guard, and not with it', () => {
  it.each(PINNED.map(({ bug, control, seed }) => [bug, control, seed] as const))(
    '%s (%s, seed %i)',
    (_bug, name, pinned) => {
      const control = CONTROLS.find((one) => one.name === name);
      const profile = control?.profile.name;
      let isCaught = false;
      for (let seed = pinned; seed < pinned + SEEDS && !isCaught; seed += 1) {
        expect(paxosSuite.run({ seed, traceLines: 0, profile }).failure).toBeNull();
        const { check } = paxosSuite.run({ seed, traceLines: 0, control: name });
        isCaught = check === control?.caughtBy;
      }
      expect(isCaught).toBe(true);
    },
    60_000,
  );
});
