import { BASE, type Profile } from '../profile.js';
import { LIMITS, TIMINGS } from '../settings.js';
import { GOOD_LINK } from '@ringleader/testing-simulation';
import { CHURN_SCRIPT, DUEL_SCRIPT } from './churn-script.js';

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

/** Nobody waits for anybody's turn: two candidates at once, each with a part of the votes. */
export const DUELS: Profile = {
  ...CHURN,
  name: 'duels',
  about: 'two candidates stand at the same time, and messages of the higher one are held up',
  settings: (prng) => {
    const settings = CHURN.settings(prng);
    const { cluster, workload } = settings;
    return {
      ...settings,
      cluster: {
        ...cluster,
        shards: 3,
        replicationFactor: 3,
        timings: { ...cluster.timings, electionStaggerMs: 0.05, candidacyTimeoutMs: 60 },
        turnMs: 0.1,
      },
      workload: { ...workload, thinkMsMax: 3, mixes: [{ put: 5, read: 1 }] },
      faults: { ...settings.faults, kinds: [] },
      storage: { minMs: 0.05, maxMs: 0.3 },
      links: { ...GOOD_LINK, delayMinMs: 0.1, delayMaxMs: 0.8 },
    };
  },
  script: DUEL_SCRIPT,
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

/** A leader whose own storage is the last to apply what it commits, and which remembers hardly any row. */
export const SLOW_LEADER: Profile = {
  ...CHURN,
  name: 'slow-leader',
  about: 'the leader applies later than its followers, and reads rows from storage',
  settings: (prng) => {
    const settings = CHURN.settings(prng);
    const { cluster } = settings;
    return {
      ...settings,
      cluster: {
        ...cluster,
        timings: { ...cluster.timings, leaseMs: 200, heartbeatIntervalMs: 40, candidacyTimeoutMs: 150 },
        limits: { ...cluster.limits, rowCacheBytesMax: 1 },
      },
      workload: {
        ...settings.workload,
        clients: 8,
        thinkMsMax: 3,
        mixes: [{ put: 4, delete: 1, conditional: 2, read: 4, staleRead: 2 }],
      },
      faults: { ...settings.faults, kinds: [] },
      storage: { minMs: 0.05, maxMs: 0.3 },
      links: { ...GOOD_LINK, delayMaxMs: 0.5 },
      readLatency: { minMs: 0.05, maxMs: 0.3 },
    };
  },
  script: function* (scene) {
    yield 300;
    for (;;) {
      const leader = yield* scene.leader();
      scene.cluster.stores.get(leader)?.setLatency({ minMs: 10, maxMs: 40 });
      yield scene.between(150, 400);
      scene.cluster.stores.get(leader)?.setLatency({ minMs: 0.05, maxMs: 0.3 });
      if (scene.prng.nextBelow(3) === 0) scene.restart(leader);
      yield scene.between(10, 60);
    }
  },
};
