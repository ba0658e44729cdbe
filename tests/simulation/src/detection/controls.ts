/** Detectors and tallies with one thing left out: each is caught by the check that it names. */
import type { DetectorSettings } from '@ringleader/failure-detection';
import { cut, flapping, pausing, severed, starved, type Profile } from './profile.js';

export interface Control {
  readonly name: string;
  readonly broken: string;
  readonly caughtBy: string;
  readonly profile: Profile;
}

const without = (profile: Profile, change: Partial<DetectorSettings>): Profile => {
  return { ...profile, settings: { ...profile.settings, ...change } };
};

export const controls: readonly Control[] = [
  {
    name: 'NoFloor',
    broken: 'the deviation of very regular heartbeats is believed as it is',
    caughtBy: 'false-verdict',
    profile: without(pausing, { deviationMinMs: 0.001 }),
  },
  {
    name: 'NoLocalHealth',
    broken: 'a detector takes its own pauses for the silence of others',
    caughtBy: 'false-verdict',
    profile: without(starved, { tickToleranceMs: Number.POSITIVE_INFINITY, distrustMax: 0 }),
  },
  {
    name: 'NoIndirectProbe',
    broken: 'nobody else is asked to probe before a suspicion',
    caughtBy: 'false-verdict',
    profile: without(severed, { probing: { ...severed.settings.probing, probers: 0 } }),
  },
  {
    name: 'NoDamping',
    broken: 'a member that goes to and fro is believed each time',
    caughtBy: 'flapping-is-damped',
    profile: without(flapping, {
      damping: { ...flapping.settings.damping, holdAt: Number.POSITIVE_INFINITY },
    }),
  },
  {
    name: 'QuorumOfOne',
    broken: 'the word of one detector makes a verdict',
    caughtBy: 'majority',
    profile: { ...cut, quorum: 1 },
  },
];
