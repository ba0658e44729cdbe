import { describe, expect, it } from '@jest/globals';
import { STEERED } from './profiles.js';
import { elasticSuite } from './suite.js';

const SEEDS = 300;
const SEEDS_PER_TEST = 50;
const SEEDS_PER_PROFILE = 6;

/** Throws with the command that replays it. */
function mustPass(seed: number, profile?: string): void {
  const run = { seed, traceLines: 0, profile };
  const { failure } = elasticSuite.run(run);
  if (failure !== null) throw new Error(`${failure}\nReplay: ${elasticSuite.replayCommand(run)}`);
}

describe('a cluster that changes its shape, whatever happens', () => {
  for (let first = 1; first <= SEEDS; first += SEEDS_PER_TEST) {
    const last = first + SEEDS_PER_TEST - 1;
    it(`keeps every promise and comes to rest with seeds ${String(first)} to ${String(last)}`, () => {
      for (let seed = first; seed <= last; seed += 1) mustPass(seed);
    }, 240_000);
  }

  it.each(STEERED.map(({ name, about }) => [name, about] as const))(
    'in the corners that controls are caught in: %s: %s',
    (profile) => {
      for (let seed = 1; seed <= SEEDS_PER_PROFILE; seed += 1) mustPass(seed, profile);
    },
    120_000,
  );

  it('is run from its seed alone', () => {
    const run = { seed: 12, traceLines: 0 };
    expect(elasticSuite.run(run)).toEqual(elasticSuite.run(run));
  });
});
