import { describe, expect, it } from '@jest/globals';
import { paxosSuite } from './suite.js';

const SEEDS = 200;
const SEEDS_PER_TEST = 25;
/** Runs that found a bug of docs/BUGS.md: a repair refused for clocks that differ. */
const PINNED = [5482, 9073, 9491];

/** Throws with the command that replays it. */
function mustPass(seed: number): void {
  const run = { seed, traceLines: 0 };
  const { failure } = paxosSuite.run(run);
  if (failure !== null) throw new Error(`${failure}\nReplay: ${paxosSuite.replayCommand(run)}`);
}

describe('the Paxos core under random faults', () => {
  for (let first = 1; first <= SEEDS; first += SEEDS_PER_TEST) {
    const last = first + SEEDS_PER_TEST - 1;
    it(`keeps every promise with seeds ${String(first)} to ${String(last)}`, () => {
      for (let seed = first; seed <= last; seed += 1) mustPass(seed);
    }, 120_000);
  }

  it('keeps every promise with seeds that found bugs', () => {
    for (const seed of PINNED) mustPass(seed);
  });

  it('is run from its seed alone', () => {
    const run = { seed: 11, traceLines: 0 };
    expect(paxosSuite.run(run)).toEqual(paxosSuite.run(run));
  });
});
