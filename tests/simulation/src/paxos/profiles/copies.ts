import { BASE, type Profile } from '../profile.js';
import { GOOD_LINK } from '@ringleader/testing-simulation';
import type { Script } from '../script.js';
import { LIMITS, TIMINGS } from '../settings.js';

/** A replica misses more than a repair carries, is copied to while writes go on, and leaders change under the copy. */
const SCRIPT: Script = function* (scene) {
  yield 400;
  for (;;) {
    const leader = yield* scene.leader();
    const [behind, rival] = scene.others(leader);
    if (behind === undefined || rival === undefined) return;
    const rest = scene.cluster.shards.filter((shard) => shard !== behind);
    const rejoin = scene.separate([behind], rest);
    yield scene.between(80, 250);
    rejoin();
    yield scene.between(0, 40);
    // The leader may be deposed while the copy runs, and does not know it at first.
    const kind = scene.prng.nextBelow(4);
    if (kind === 0) {
      scene.restart(leader);
    } else if (kind === 1) {
      const separate = scene.separate([leader], [rival]);
      yield scene.leaseMs * scene.between(1, 2.5);
      separate();
    } else if (kind === 2) {
      scene.restart(behind);
    }
    yield scene.between(50, 300);
  }
};

export const COPIES: Profile = {
  name: 'copies',
  about: 'many keys, tiny repairs, slow links: copies in pages, with several passes and changes of leader',
  settings: (prng) => ({
    ...BASE,
    cluster: {
      ...BASE.cluster,
      timings: {
        ...TIMINGS,
        leaseMs: 80,
        heartbeatIntervalMs: 20,
        electionStaggerMs: 8,
        candidacyTimeoutMs: 40,
        resendIntervalMs: 20,
      },
      limits: { ...LIMITS, repairRowsMax: 1 + prng.nextBelow(3), batchRowsMax: 2 + prng.nextBelow(4) },
    },
    workload: {
      ...BASE.workload,
      clients: 6,
      keysPerPartition: 12 + prng.nextBelow(20),
      thinkMsMax: 5 + prng.nextBelow(20),
      mixes: [{ put: 6, delete: 3, read: 1, staleRead: 4 }],
    },
    faults: {
      ...BASE.faults,
      kinds: ['crash', 'pause', 'badLinks', 'slowStorage', 'oneWay'],
      intensity: prng.nextFloat() * 2,
      durationMaxMs: 200,
    },
    // What was overtaken by a later offer arrives after all.
    links: { ...GOOD_LINK, delayMaxMs: 3, tailProbability: 0.2, tailDelayMs: 120, duplicateProbability: 0.3 },
  }),
  script: SCRIPT,
};
