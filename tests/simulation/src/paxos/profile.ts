/** A kind of run: how large, which load, which faults, and for steered ones a script. */
import type { Prng } from '@ringleader/primitives';
import { ALL_FAULT_KINDS } from '@ringleader/testing-simulation';
import type { PaxosRules } from '@ringleader/paxos';
import type { Script } from './script.js';
import type { GatewaySettings } from './gateway.js';
import { LIMITS, TIMINGS, type FaultSettings, type RunSettings } from './settings.js';
import type { WorkloadSettings } from './workload.js';

export interface Profile {
  readonly name: string;
  readonly about: string;
  settings(prng: Prng): RunSettings;
  /** What the shards are configured to follow; left out, `RULES`. */
  readonly rules?: PaxosRules;
  /** Steers the cluster into a corner that chance rarely finds. */
  readonly script?: Script;
}

const GATEWAY: GatewaySettings = {
  attemptTimeoutMs: { min: 40, max: 250 },
  operationTimeoutMs: 1_200,
  clocksDifferMs: 0,
};

const WORKLOAD: WorkloadSettings = {
  clients: 5,
  keysPerPartition: 4,
  thinkMsMax: 30,
  mixes: [{ put: 4, delete: 2, conditional: 4, read: 4, staleRead: 2, boundedRead: 2, scan: 1 }],
  valueBytesMax: 40,
  keyedOneIn: 3,
};

export const NO_FAULTS: FaultSettings = {
  kinds: [],
  intensity: 0,
  durationMaxMs: 1,
  clockDriftMax: 0,
  wallSkewMaxMs: 0,
  plannedRestartMs: 0,
  epochChangeMs: 0,
};

export const BASE: RunSettings = {
  cluster: {
    shards: 3,
    partitions: 1,
    replicationFactor: 3,
    timings: TIMINGS,
    limits: LIMITS,
    turnMs: 0.3,
    rowPace: null,
  },
  gateways: 2,
  gateway: GATEWAY,
  workload: WORKLOAD,
  faults: NO_FAULTS,
  storage: null,
  clockRates: null,
  links: null,
  readLatency: null,
  faultyMs: 3_000,
  recoveryMs: 4_000,
  lastReads: false,
};

/** Everything at random: each seed draws its own cluster, load and kinds of faults. */
export const RANDOM: Profile = {
  name: 'random',
  about: 'swarm testing: size, load and faults drawn per seed',
  settings: (prng) => {
    const chance = (oneIn: number): boolean => prng.nextBelow(oneIn) === 0;
    const shards = 3 + prng.nextBelow(3);
    const weight = (): number => (chance(4) ? 0 : 1 + prng.nextBelow(6));
    return {
      ...BASE,
      cluster: {
        ...BASE.cluster,
        shards,
        partitions: 1 + prng.nextBelow(3),
        replicationFactor: shards === 5 && chance(2) ? 5 : 3,
        limits: { ...LIMITS, repairRowsMax: 2 + prng.nextBelow(10), batchRowsMax: 1 + prng.nextBelow(8) },
        turnMs: chance(2) ? 0.05 : 1,
      },
      workload: {
        ...WORKLOAD,
        clients: 3 + prng.nextBelow(5),
        keysPerPartition: 2 + prng.nextBelow(10),
        thinkMsMax: 5 + prng.nextBelow(60),
        mixes: [
          {
            put: 1 + weight(),
            delete: weight(),
            conditional: weight(),
            read: weight(),
            staleRead: weight(),
            boundedRead: weight(),
            scan: chance(3) ? 1 + weight() : 0,
            staleScan: chance(3) ? weight() : 0,
            boundedScan: chance(3) ? weight() : 0,
            expiring: chance(3) ? weight() : 0,
          },
        ],
      },
      faults: {
        kinds: ALL_FAULT_KINDS,
        intensity: 0.5 + prng.nextFloat() * 2.5,
        durationMaxMs: 100 + prng.nextFloat() * 900,
        clockDriftMax: 0.05,
        wallSkewMaxMs: chance(2) ? 0 : 2_000,
        plannedRestartMs: chance(3) ? 700 : 0,
        epochChangeMs: chance(4) ? 600 : 0,
      },
    };
  },
};
