import { named, replayCommandOf, type SimulationSuite, type SuiteRun } from '../suite.js';
import { ELASTIC_CONTROLS, type ElasticControl } from './controls.js';
import { RANDOM, type ElasticProfile } from './profile.js';
import { ELASTIC_PROFILES } from './profiles.js';
import { runElastic } from './run.js';

export const elasticSuite: SimulationSuite = {
  core: 'elastic',
  run(run) {
    const control =
      run.control === undefined ? null : named<ElasticControl>('control', ELASTIC_CONTROLS, run.control);
    const { failure, trace, summary } = runElastic({
      profile: profileOf(run, control),
      seed: run.seed,
      broken: control?.broken ?? {},
      traceCapacity: run.traceLines,
      counting: control === null ? null : new Set([control.caughtBy]),
    });
    if (failure === null) return { failure: null, check: null, trace: [], summary };
    return { failure: failure.message, check: failure.check, trace, summary };
  },
  replayCommand: (run) => replayCommandOf('elastic', run),
};

function profileOf(run: SuiteRun, control: ElasticControl | null): ElasticProfile {
  if (run.profile !== undefined) return named('profile', ELASTIC_PROFILES, run.profile);
  return control?.profile ?? RANDOM;
}
