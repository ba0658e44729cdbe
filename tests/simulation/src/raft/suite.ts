import { soundRules } from '@ringleader/raft';
import { named, replayCommandOf, type SimulationSuite } from '../suite.js';
import { allControls } from './all-controls.js';
import { soundDataRules } from './data/data-rules.js';
import { soundDisks } from './disk-rules.js';
import { soundIdentities } from './identities.js';
import { profiles } from './profiles/index.js';
import { runRaft } from './run.js';
import { randomProfile } from './profile.js';

export const raftSuite: SimulationSuite = {
  core: 'raft',
  run(run) {
    const control = run.control === undefined ? null : named('control', allControls, run.control);
    const profile =
      run.profile === undefined
        ? (control?.profile ?? randomProfile)
        : named('profile', profiles, run.profile);
    const report = runRaft({
      profile,
      seed: run.seed,
      rules: { ...soundRules, ...control?.rules },
      disks: { ...soundDisks, ...control?.disks },
      identities: { ...soundIdentities, ...control?.identities },
      dataRules: { ...soundDataRules, ...control?.dataRules },
      traceCapacity: run.traceLines,
    });
    return {
      failure: report.failure === null ? null : `${report.failure.check}: ${report.failure.message}`,
      trace: report.failure === null ? [] : report.trace,
      summary: report.summary,
    };
  },
  replayCommand: (run) => replayCommandOf('raft', run),
};
