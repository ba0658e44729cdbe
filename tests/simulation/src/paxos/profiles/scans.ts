import type { Profile } from '../profile.js';
import { LIMITS } from '../settings.js';
import { CHURN } from './churn.js';
import { LATE_REQUESTS } from './late-requests.js';
import { SPLIT_LEADER } from './leases.js';

/** Writes and their repeats meet rows that have expired in between. */
export const EXPIRING: Profile = {
  ...LATE_REQUESTS,
  name: 'expiring',
  about: 'requests and answers repeated and late, of rows that live shorter than it takes to repeat them',
  settings: (prng) => {
    const settings = LATE_REQUESTS.settings(prng);
    const { workload } = settings;
    return {
      ...settings,
      workload: { ...workload, mixes: [{ expiring: 6, put: 1, conditional: 1, read: 4 }] },
    };
  },
};

/** Many rows expire between two scans. */
export const EXPIRING_SCANS: Profile = {
  ...CHURN,
  name: 'expiring-scans',
  about: 'scans meet many rows at once that have expired',
  settings: (prng) => {
    const settings = CHURN.settings(prng);
    const { cluster, workload } = settings;
    return {
      ...settings,
      cluster: {
        ...cluster,
        timings: { ...cluster.timings, leaseMs: 200, heartbeatIntervalMs: 40, candidacyTimeoutMs: 150 },
        limits: { ...LIMITS, repairRowsMax: 4 + prng.nextBelow(8) },
      },
      workload: {
        ...workload,
        keysPerPartition: 24,
        thinkMsMax: 10,
        mixes: [{ expiring: 16, put: 1, scan: 1, boundedScan: 1, staleScan: 1 }],
      },
      faults: { ...settings.faults, intensity: 0.5 },
    };
  },
};

/** Of SPLIT_LEADER, with scans in place of reads. */
export const SCANNED_LEADER: Profile = {
  ...SPLIT_LEADER,
  name: 'scanned-leader',
  about: 'the leader is cut off with clients that scan',
  settings: (prng) => {
    const settings = SPLIT_LEADER.settings(prng);
    return { ...settings, workload: { ...settings.workload, mixes: [{ put: 8, delete: 1 }, { scan: 1 }] } };
  },
};

/** Followers hold rows that are given up by a repair while a scan of theirs is read. */
export const SCANNED_REPLICAS: Profile = {
  ...CHURN,
  name: 'scanned-replicas',
  about: 'churn, with stale scans that storage is slow to read',
  settings: (prng) => {
    const settings = CHURN.settings(prng);
    return {
      ...settings,
      workload: {
        ...settings.workload,
        clients: 10,
        mixes: [
          { put: 5, delete: 2 },
          { staleScan: 10, boundedScan: 2 },
        ],
      },
      readLatency: { minMs: 1, maxMs: 60 },
    };
  },
};
