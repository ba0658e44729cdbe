/** Runs that look where chance rarely leads. The rules must pass on them, and the controls that they are for must not. */
import type { Prng } from '@ringleader/primitives';
import { NOTHING_HAPPENS, RANDOM, type ElasticProfile } from './profile.js';
import type { ElasticSettings } from './settings.js';

/** Few replicas, one of them often behind, and databases that are lost again and again. */
export const RESTORED: ElasticProfile = {
  name: 'restored',
  about: 'machines come back with older copies of their databases while another one lags behind',
  settings: (prng) => {
    const settings = RANDOM.settings(prng);
    return {
      ...settings,
      base: {
        ...settings.base,
        cluster: { ...settings.base.cluster, shards: 3, replicationFactor: 3 },
        workload: {
          ...settings.base.workload,
          clients: 10,
          keysPerPartition: 2,
          thinkMsMax: 5,
          mixes: [{ put: 5, delete: 1, conditional: 2, read: 6 }],
        },
      },
      zones: [''],
      faultKinds: ['partition', 'pause'],
      faultDurationMaxMs: 400,
      every: { ...NOTHING_HAPPENS, lostDatabase: 200, fault: 150 },
      controlLoss: 0,
    };
  },
};

/** Machines are away for so long that they are given up, one after the other. */
export const GIVEN_UP: ElasticProfile = {
  name: 'given-up',
  about: 'databases are lost, and machines are away for so long that their places are given to others',
  settings: (prng) => {
    const settings = RANDOM.settings(prng);
    return {
      ...settings,
      base: { ...settings.base, cluster: { ...settings.base.cluster, shards: 4, replicationFactor: 3 } },
      faultKinds: ['pause', 'partition'],
      every: { ...NOTHING_HAPPENS, lostDatabase: 400, kill: 300, fault: 300, join: 1_000 },
      controlLoss: 0,
    };
  },
};

/** Moves all the time, and newcomers that are doubted in the middle of them. */
export const DOUBTED: ElasticProfile = {
  name: 'doubted',
  about: 'shards join and are drained all the time, and detectors doubt them without a reason',
  settings: (prng) => restless(prng, { wrongVerdict: 120 }),
};

/** Each partition moves again and again. */
export const RESTLESS: ElasticProfile = {
  name: 'restless',
  about:
    'shards come and go all the time, moves are taken back and begin again, and reports of leaders are late',
  settings: (prng) => ({
    ...restless(prng, { cancel: 150, fault: 500, leaderChange: 400 }),
    controlTail: { oneIn: 4, ms: 1_500 },
  }),
};

/** Without zones, and with partitions enough for weights to tell. */
export const WEIGHED: ElasticProfile = {
  name: 'weighed',
  about: 'weights are changed all the time',
  settings: (prng) => {
    const settings = RANDOM.settings(prng);
    const { base } = settings;
    return {
      ...settings,
      base: { ...base, cluster: { ...base.cluster, partitions: 8, shards: 5, replicationFactor: 3 } },
      zones: [''],
      every: { ...NOTHING_HAPPENS, weight: 300, leaderChange: 800, fault: 800 },
    };
  },
};

function restless(prng: Prng, more: Partial<ElasticSettings['every']>): ElasticSettings {
  const settings = RANDOM.settings(prng);
  return {
    ...settings,
    every: { ...NOTHING_HAPPENS, join: 500, drain: 400, undrain: 500, remove: 300, pause: 800, ...more },
  };
}

export const STEERED: readonly ElasticProfile[] = [RESTORED, GIVEN_UP, DOUBTED, RESTLESS, WEIGHED];
export const ELASTIC_PROFILES: readonly ElasticProfile[] = [RANDOM, ...STEERED];
