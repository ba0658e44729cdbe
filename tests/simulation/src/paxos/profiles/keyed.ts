import type { Profile } from '../profile.js';
import type { RunSettings } from '../settings.js';
import type { Prng } from '@ringleader/primitives';
import { LIMITS } from '../settings.js';
import { LATE_REQUESTS } from './late-requests.js';

function settingsOf(prng: Prng): RunSettings {
  const settings = LATE_REQUESTS.settings(prng);
  const { cluster, workload } = settings;
  return {
    ...settings,
    cluster: {
      ...cluster,
      timings: { ...cluster.timings, repeatWindowMs: 300, clocksDifferMs: 300 },
      limits: { ...LIMITS, repairRowsMax: 40, batchRowsMax: 20 },
    },
    gateway: {
      attemptTimeoutMs: { min: 10, max: 60 },
      operationTimeoutMs: 300,
      clocksDifferMs: 300,
    },
    workload: {
      ...workload,
      clients: 10,
      keysPerPartition: 1,
      thinkMsMax: 6,
      keyedOneIn: 2,
      mixes: [{ put: 8, conditional: 1 }],
    },
  };
}

/** A key's row forgets a keyed write before it is repeated, by clocks that differ as much as they may. */
export const KEYED: Profile = {
  ...LATE_REQUESTS,
  name: 'keyed',
  about: 'keyed writes of one hot key, repeated with the origins of other clocks, and late',
  settings: settingsOf,
};
