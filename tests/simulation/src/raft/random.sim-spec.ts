import { describe, expect, it } from '@jest/globals';
import { randomProfile } from './profile.js';
import { changing } from './profiles/changing.js';
import { failingDisks } from './profiles/failing-disks.js';
import { raftSuite } from './suite.js';

const seedsPerTest = 25;

/** Seeds that found a bug once (docs/BUGS.md). */
const pinned = [
  { seed: 4917, profile: randomProfile },
  { seed: 2024, profile: changing },
];

function mustPass(seed: number, profile = randomProfile): void {
  const run = { seed, traceLines: 0, profile: profile.name };
  const { failure } = raftSuite.run(run);
  if (failure !== null) throw new Error(`${failure}\nReplay: ${raftSuite.replayCommand(run)}`);
}

describe.each([
  { profile: randomProfile, seeds: 200 },
  { profile: changing, seeds: 300 },
  { profile: failingDisks, seeds: 50 },
])('the Raft core under random faults: $profile.about', ({ profile, seeds }) => {
  for (let first = 1; first <= seeds; first += seedsPerTest) {
    const last = first + seedsPerTest - 1;
    it(`keeps every promise with seeds ${String(first)} to ${String(last)}`, () => {
      for (let seed = first; seed <= last; seed += 1) mustPass(seed, profile);
    }, 120_000);
  }
});

describe('the Raft core under random faults', () => {
  it.each(pinned)('$profile.name keeps every promise with seed $seed, which found a bug once', (one) => {
    mustPass(one.seed, one.profile);
  });

  it('is run from its seed alone', () => {
    const run = { seed: 11, traceLines: 0 };
    expect(raftSuite.run(run)).toEqual(raftSuite.run(run));
  });
});
