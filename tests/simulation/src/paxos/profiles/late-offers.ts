import { GOOD_LINK } from '@ringleader/testing-simulation';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Profile } from '../profile.js';
import type { Script } from '../script.js';
import { CHURN } from './churn.js';

const SLOW = { minMs: 5, maxMs: 40 };
const FAST = { minMs: 0.05, maxMs: 0.3 };

/** A new leader finds its followers behind; its storage is slower than theirs, and its offers come again and late. */
const SCRIPT: Script = function* (scene) {
  const { cluster } = scene;
  yield 300;
  for (;;) {
    const former = yield* scene.leader();
    const [behind] = scene.others(former);
    if (behind === undefined) return;
    const rejoin = scene.separate(
      [behind],
      cluster.shards.filter((shard: ShardOrdinal) => shard !== behind),
    );
    yield scene.between(5, 30);
    scene.restart(former);
    yield scene.between(0, 10);
    rejoin();
    const leader = yield* scene.leader();
    cluster.stores.get(leader)?.setLatency(SLOW);
    yield scene.between(60, 250);
    cluster.stores.get(leader)?.setLatency(FAST);
  }
};

export const LATE_OFFERS: Profile = {
  name: 'late-offers',
  about: 'repairs offered late and twice by a leader whose storage is slower than its followers',
  settings: (prng) => {
    const settings = CHURN.settings(prng);
    const { cluster, workload } = settings;
    return {
      ...settings,
      cluster: {
        ...cluster,
        shards: 3,
        replicationFactor: 3,
        // What one partition stores holds up what another one has sent.
        partitions: 3,
        timings: { ...cluster.timings, leaseMs: 100, heartbeatIntervalMs: 20, candidacyTimeoutMs: 80 },
      },
      workload: { ...workload, clients: 12, thinkMsMax: 4, mixes: [{ put: 6, delete: 1, read: 1 }] },
      faults: { ...settings.faults, kinds: [] },
      storage: FAST,
      links: {
        ...GOOD_LINK,
        delayMaxMs: 1,
        tailProbability: 0.3,
        tailDelayMs: 60,
        duplicateProbability: 0.4,
      },
    };
  },
  script: SCRIPT,
};
