import { describe, it } from '@jest/globals';
import { STEERED } from './profiles/index.js';
import { paxosSuite } from './suite.js';

const SEEDS_PER_PROFILE = 5;

/** What catches the controls must not catch the rules. */
describe('the Paxos core in the corners that controls are caught in', () => {
  it.each(STEERED.map((profile) => [profile.name, profile.about] as const))(
    '%s: %s',
    (profile) => {
      for (let seed = 1; seed <= SEEDS_PER_PROFILE; seed += 1) {
        const run = { seed, traceLines: 0, profile };
        const { failure } = paxosSuite.run(run);
        if (failure !== null) throw new Error(`${failure}\nReplay: ${paxosSuite.replayCommand(run)}`);
      }
    },
    120_000,
  );
});
