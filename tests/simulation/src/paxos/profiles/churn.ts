import { BASE, type Profile } from '../profile.js';
import { LIMITS, TIMINGS } from '../settings.js';
import { CHURN_SCRIPT } from './churn-script.js';

/** Leaders come and go before their batches reach anybody: elections over rows that were never chosen. */
export const CHURN: Profile = {
  name: 'churn',
  about: 'cuts, crashes and pauses too short for a leader to settle, slow storage, few keys',
  settings: (prng) => ({
    ...BASE,
    cluster: {
      ...BASE.cluster,
      shards: prng.nextBelow(3) === 0 ? 5 : 3,
      replicationFactor: prng.nextBelow(3) === 0 ? 5 : 3,
      timings: {
        ...TIMINGS,
        leaseMs: 60,
        heartbeatIntervalMs: 15,
        electionStaggerMs: 6,
        candidacyTimeoutMs: 30,
        resendIntervalMs: 15,
      },
      limits: { ...LIMITS, repairRowsMax: 12 },
    },
    workload: {
      ...BASE.workload,
      clients: 6,
      keysPerPartition: 2 + prng.nextBelow(4),
      thinkMsMax: 4 + prng.nextBelow(20),
      mixes: [{ put: 5, delete: 2, conditional: 2, read: 3, staleRead: 5 }],
    },
    faults: {
      ...BASE.faults,
      kinds: ['crash', 'pause', 'partition', 'oneWay', 'badLinks', 'slowStorage'],
      intensity: 3 + prng.nextFloat() * 3,
      durationMaxMs: 60 + prng.nextFloat() * 200,
    },
  }),
  script: CHURN_SCRIPT,
};

/** The same, with answers of the storage that come when the world has moved on. */
export const SLOW_READS: Profile = {
  ...CHURN,
  name: 'slow-reads',
  about: 'churn, with storage so slow that reads are answered in another leadership',
  settings: (prng) => {
    const settings = CHURN.settings(prng);
    return {
      ...settings,
      workload: { ...settings.workload, keysPerPartition: 2, mixes: [{ put: 5, delete: 1, staleRead: 10 }] },
      readLatency: { minMs: 1, maxMs: 60 },
    };
  },
};
