import { describe, it } from '@jest/globals';
import { steeredProfiles } from './profiles/index.js';
import { raftSuite } from './suite.js';

const seedsPerProfile = 8;

/** What catches the controls must not catch the rules. */
describe('the Raft core in the corners that controls are caught in', () => {
  it.each(steeredProfiles.map((profile) => [profile.name, profile.about] as const))(
    '%s: %s',
    (profile) => {
      for (let seed = 1; seed <= seedsPerProfile; seed += 1) {
        const run = { seed, traceLines: 0, profile };
        const { failure } = raftSuite.run(run);
        if (failure !== null) throw new Error(`${failure}\nReplay: ${raftSuite.replayCommand(run)}`);
      }
    },
    120_000,
  );
});
