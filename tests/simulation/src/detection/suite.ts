import { SimulationFailure } from '@ringleader/testing-simulation';
import { named, replayCommandOf, type SimulationSuite } from '../suite.js';
import { DetectionCluster } from './cluster.js';
import { controls } from './controls.js';
import type { Measures } from './judge.js';
import { PROFILES, calm, flapping, MEMBERS, type Profile } from './profile.js';

/** Damped, a member that goes to and fro is taken for alive a few times, and then held a suspect. */
const RETURNS_PER_MEMBER_HOUR_MAX = 30;

/** Throws SimulationFailure. */
export function runDetection(profile: Profile, seed: number, isStrict: boolean): Measures {
  const measures = new DetectionCluster(profile, seed, isStrict).run();
  const perMemberHour = measures.returns / (MEMBERS.length * profile.hours);
  if (isStrict && profile.name === flapping.name && perMemberHour > RETURNS_PER_MEMBER_HOUR_MAX) {
    const what = `${perMemberHour.toFixed(0)} returns from suspicion per member and hour`;
    throw new SimulationFailure('flapping-is-damped', what);
  }
  return measures;
}

export const detectionSuite: SimulationSuite = {
  core: 'detection',
  run({ seed, profile: wanted, control: broken }) {
    const control = broken === undefined ? null : named('control', controls, broken);
    const profile = wanted === undefined ? (control?.profile ?? calm) : named('profile', PROFILES, wanted);
    try {
      const { falseVerdicts, changes, suspectMs, downMs } = runDetection(profile, seed, true);
      const times = `suspect after ${most(suspectMs)} ms, down after ${most(downMs)} ms at most`;
      const summary = `${String(profile.hours)} hours, ${String(changes)} changes, ${String(falseVerdicts)} false; ${times}`;
      return { failure: null, check: null, trace: [], summary };
    } catch (error) {
      if (!(error instanceof SimulationFailure)) throw error;
      return { failure: error.message, check: error.check, trace: [], summary: '' };
    }
  },
  replayCommand: (run) => replayCommandOf('detection', run),
};

const most = (times: readonly number[]): string => (times.length === 0 ? '-' : Math.max(...times).toFixed(0));
