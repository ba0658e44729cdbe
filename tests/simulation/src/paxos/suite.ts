import { RULES } from '@ringleader/paxos';
import { named, replayCommandOf, type SimulationSuite } from '../suite.js';
import { CONTROLS, type Control } from './controls/index.js';
import { RANDOM, type Profile } from './profile.js';
import { PROFILES } from './profiles/index.js';
import { runPaxos, type RunOptions } from './run.js';

export const paxosSuite: SimulationSuite = {
  core: 'paxos',
  run(run) {
    const control = run.control === undefined ? null : named<Control>('control', CONTROLS, run.control);
    const profile =
      run.profile === undefined
        ? (control?.profile ?? RANDOM)
        : named<Profile>('profile', PROFILES, run.profile);
    const { failure, trace, ...report } = runPaxos({
      profile,
      seed: run.seed,
      ...followed(profile, control),
      traceCapacity: run.traceLines,
    });
    const { committed, simulatedMs, answers } = report;
    return {
      failure: failure?.message ?? null,
      check: failure?.check ?? null,
      trace: failure === null ? [] : trace,
      summary: `${String(committed)} writes committed in ${simulatedMs.toFixed(0)} simulated ms, ${JSON.stringify(answers)}`,
    };
  },
  replayCommand: (run) => replayCommandOf('paxos', run),
};

/** The profile's rules; of a control, with one broken, and then only the check that is for it counts. */
function followed(profile: Profile, control: Control | null): Partial<RunOptions> {
  const rules = profile.rules ?? RULES;
  if (control === null) return { rules };
  return {
    rules: { ...rules, ...control.rules },
    broken: control,
    counting: new Set([control.caughtBy]),
  };
}
