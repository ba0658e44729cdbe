import { BASE, type Profile } from '../profile.js';
import { TIMINGS } from '../settings.js';
import type { LinkQuality } from '@ringleader/testing-simulation';
import { READERS, WRITERS, type Script } from '../script.js';

/** Requests and answers travel twice, and late; between shards the network is good. Leaders change at times. */
const SCRIPT: Script = function* (scene) {
  const { network } = scene.cluster.world;
  const late: LinkQuality = {
    delayMinMs: 0.2,
    delayMaxMs: 3,
    tailProbability: 0.5,
    tailDelayMs: 150 + scene.prng.nextFloat() * 600,
    lossProbability: 0.05,
    duplicateProbability: 0.4,
  };
  for (const gateway of [WRITERS, READERS]) {
    for (const shard of scene.cluster.shards) {
      network.setLinkQuality(gateway, shard, late);
      network.setLinkQuality(shard, gateway, late);
    }
  }
  yield 300;
  for (;;) {
    const leader = yield* scene.leader();
    const choice = scene.prng.nextBelow(3);
    if (choice === 0) {
      const rejoin = scene.separate([leader], scene.others(leader));
      yield scene.leaseMs * scene.between(1, 2);
      rejoin();
    } else if (choice === 1) {
      scene.restart(leader);
    }
    yield scene.between(50, 300);
  }
};

export const LATE_REQUESTS: Profile = {
  name: 'late-requests',
  about: 'requests and answers repeated and late, short attempts, changing leaders',
  settings: (prng) => ({
    ...BASE,
    cluster: {
      ...BASE.cluster,
      timings: {
        ...TIMINGS,
        leaseMs: 60,
        heartbeatIntervalMs: 15,
        electionStaggerMs: 6,
        candidacyTimeoutMs: 30,
        resendIntervalMs: 15,
      },
    },
    gateway: { ...BASE.gateway, attemptTimeoutMs: { min: 10, max: 120 } },
    workload: {
      ...BASE.workload,
      clients: 8,
      keysPerPartition: 1 + prng.nextBelow(3),
      thinkMsMax: 10 + prng.nextBelow(30),
      mixes: [{ put: 3, delete: 3, conditional: 6, read: 1 }],
    },
    faultyMs: 4_000,
  }),
  script: SCRIPT,
};
