/** Kinds of runs of a cluster that changes its shape. */
import type { Prng } from '@ringleader/primitives';
import { BASE } from '../paxos/profile.js';
import { LIMITS, TIMINGS } from '../paxos/settings.js';
import type { ElasticSettings, Happening } from './settings.js';

export interface ElasticProfile {
  readonly name: string;
  readonly about: string;
  settings(prng: Prng): ElasticSettings;
}

export const NOTHING_HAPPENS: Readonly<Record<Happening, number>> = {
  fault: 0,
  kill: 0,
  lostDatabase: 0,
  cutFromCoordinators: 0,
  leaderChange: 0,
  wrongVerdict: 0,
  join: 0,
  drain: 0,
  undrain: 0,
  remove: 0,
  weight: 0,
  pause: 0,
  cancel: 0,
  limits: 0,
};

function drawSize(prng: Prng): { readonly shards: number; readonly replicationFactor: number } {
  const replicationFactor = [3, 3, 3, 3, 5, 2][prng.nextBelow(6)] as number;
  return { shards: Math.max(3, replicationFactor) + prng.nextBelow(3), replicationFactor };
}

/** Everything at random: each seed draws its own cluster, and what befalls it. */
export const RANDOM: ElasticProfile = {
  name: 'random',
  about: 'shards come, go, die and come back while everything else fails, all drawn per seed',
  settings: (prng) => {
    const chance = (oneIn: number): boolean => prng.nextBelow(oneIn) === 0;
    const every = (meanMs: number): number => (chance(3) ? 0 : meanMs * (0.6 + prng.nextFloat()));
    const zones = chance(2) ? [''] : ['a', 'b', 'c'].slice(0, 2 + prng.nextBelow(2));
    return {
      base: {
        ...BASE,
        cluster: {
          ...BASE.cluster,
          ...drawSize(prng),
          partitions: chance(4) ? 8 : 4,
          timings: { ...TIMINGS, leaseMs: 150, heartbeatIntervalMs: 40, electionStaggerMs: 20 },
          limits: { ...LIMITS, repairRowsMax: 2 + prng.nextBelow(6), batchRowsMax: 1 + prng.nextBelow(8) },
          turnMs: 1,
        },
        workload: {
          ...BASE.workload,
          clients: 3 + prng.nextBelow(3),
          keysPerPartition: 2 + prng.nextBelow(6),
          thinkMsMax: 20 + prng.nextBelow(60),
        },
        faults: { ...BASE.faults, clockDriftMax: 0.05, wallSkewMaxMs: chance(2) ? 0 : 300 },
        faultyMs: 4_000,
        // Copies may be slow.
        recoveryMs: 20_000,
      },
      zones,
      limits: {
        movesMax: 1 + prng.nextBelow(4),
        bytesPerSecondMax: 1_000 * 4 ** prng.nextBelow(5),
        replaceAfterMs: 700 + prng.nextBelow(600),
      },
      machinesMax: 7,
      faultKinds: ['pause', 'suspend', 'partition', 'oneWay', 'badLinks', 'slowStorage', 'stepWallClock'],
      faultDurationMaxMs: 100 + prng.nextFloat() * 700,
      every: {
        fault: every(400),
        kill: every(700),
        lostDatabase: every(1_200),
        cutFromCoordinators: every(900),
        leaderChange: every(500),
        wrongVerdict: every(800),
        join: every(900),
        drain: every(700),
        undrain: every(900),
        remove: every(500),
        weight: every(1_500),
        pause: every(2_000),
        cancel: every(1_200),
        limits: every(1_500),
      },
      controlLoss: chance(2) ? 0 : 0.1 * prng.nextFloat(),
      controlTail: { oneIn: chance(2) ? 1_000_000 : 10, ms: 600 },
      planMs: 45_000,
    };
  },
};
