import { describe, expect, it } from '@jest/globals';
import { raftSuite } from './suite.js';

const seeds = 200;
const seedsPerTest = 25;

/** Seeds that found a bug once (docs/BUGS.md). */
const pinned = [4917];

function mustPass(seed: number): void {
  const run = { seed, traceLines: 0 };
  const { failure } = raftSuite.run(run);
  if (failure !== null) throw new Error(`${failure}\nReplay: ${raftSuite.replayCommand(run)}`);
}

describe('the Raft core under random faults', () => {
  for (let first = 1; first <= seeds; first += seedsPerTest) {
    const last = first + seedsPerTest - 1;
    it(`keeps every promise with seeds ${String(first)} to ${String(last)}`, () => {
      for (let seed = first; seed <= last; seed += 1) mustPass(seed);
    }, 120_000);
  }

  it.each(pinned)('keeps every promise with seed %i, which found a bug once', mustPass);

  it('is run from its seed alone', () => {
    const run = { seed: 11, traceLines: 0 };
    expect(raftSuite.run(run)).toEqual(raftSuite.run(run));
  });
});
