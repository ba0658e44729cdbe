import type { ShardOrdinal } from '@ringleader/primitives';
import type { Profile } from '../profile.js';
import { READERS, WRITERS, type Script } from '../script.js';
import { QUICK } from './leases.js';

/**
 * A replica is exchanged while another one is cut off with readers and hears of nothing. Then the removed one restarts
 * and is told of the map as it was before, by a coordinator that is behind: it must not help to elect in that epoch.
 */
const SCRIPT: Script = function* (scene) {
  yield 300;
  const { cluster } = scene;
  const { map, shards, processes } = cluster;
  for (;;) {
    const leader = yield* scene.leader();
    const [removed, unaware] = scene.others(leader);
    const joining = shards.find((shard) => !map.replicasOf(0).includes(shard));
    if (removed === undefined || unaware === undefined || joining === undefined) return;
    const before = map.entries();
    const nextReplicas = [leader, joining, unaware];
    const aware: ShardOrdinal[] = [leader, joining, removed];
    cluster.withholdMapFrom(unaware, scene.leaseMs * 8);
    const rejoin = scene.separate([unaware, READERS], [leader, joining, WRITERS]);
    for (const change of [{ nextReplicas }, { replicas: nextReplicas, nextReplicas: null }]) {
      map.change(0, { ...change, preferredLeader: leader });
      for (const shard of aware) processes.get(shard)?.learnMap(map.entries());
      yield scene.leaseMs * 1.5;
    }
    const separate = scene.separate([removed, READERS], [leader, joining, WRITERS]);
    cluster.withholdMapFrom(removed, scene.leaseMs * 4);
    scene.restart(removed);
    processes.get(removed)?.learnMap(before);
    yield scene.leaseMs * 4;
    rejoin();
    separate();
    yield scene.leaseMs * 5;
  }
};

export const REMOVED: Profile = {
  name: 'removed',
  about: 'a replica that was removed restarts and is told of the map as it was before',
  settings: () => ({ ...QUICK, cluster: { ...QUICK.cluster, shards: 4 }, faultyMs: 5_000 }),
  script: SCRIPT,
};
