import { GOOD_LINK } from '@ringleader/testing-simulation';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Cluster } from '../cluster.js';
import type { Profile } from '../profile.js';
import type { Scene, Script } from '../script.js';
import { QUICK } from './leases.js';

/**
 * A replica that leaves learns so while a batch waits for its slow storage: both become durable together. Its leader does
 * not know of the end of the exchange yet, and has nobody else to count on in the old set.
 */
const SCRIPT: Script = function* (scene) {
  yield 300;
  const { cluster } = scene;
  const { map, shards } = cluster;
  for (;;) {
    const leader = yield* scene.leader();
    const [leaving, silent] = scene.others(leader);
    const joining = shards.find((shard) => !map.replicasOf(0).includes(shard));
    if (leaving === undefined || silent === undefined || joining === undefined) return;
    const nextReplicas = [leader, silent, joining];
    map.change(0, { nextReplicas, preferredLeader: leader });
    for (const shard of shards) cluster.processes.get(shard)?.learnMap(map.entries());
    yield scene.leaseMs * 1.5;
    if (isReady(cluster, leader)) yield* settle(scene, { leader, leaving, silent, nextReplicas });
    else map.change(0, { nextReplicas: null });
    yield scene.leaseMs * 2;
  }
};

function isReady(cluster: Cluster, leader: ShardOrdinal): boolean {
  return cluster.leaderOf(0) === leader && cluster.status(leader, 0)?.epoch === cluster.map.epochOf(0);
}

interface Exchange {
  readonly leader: ShardOrdinal;
  readonly leaving: ShardOrdinal;
  readonly silent: ShardOrdinal;
  readonly nextReplicas: readonly ShardOrdinal[];
}

function* settle(scene: Scene, { leader, leaving, silent, nextReplicas }: Exchange): Generator<number, void> {
  const { map, shards, processes, stores } = scene.cluster;
  const rejoin = scene.separate([leader], [silent]);
  stores.get(leaving)?.setLatency({ minMs: 5, maxMs: 15 });
  yield scene.between(10, 40);
  for (const shard of shards) if (shard !== leaving) scene.cluster.withholdMapFrom(shard, scene.leaseMs / 2);
  map.change(0, { replicas: nextReplicas, nextReplicas: null });
  processes.get(leaving)?.learnMap(map.entries());
  yield scene.leaseMs * 0.6;
  stores.get(leaving)?.setLatency({ minMs: 0.05, maxMs: 0.3 });
  rejoin();
}

export const UNDONE: Profile = {
  name: 'undone',
  about: 'a replica that leaves learns so while its storage has a batch before it',
  settings: () => ({
    ...QUICK,
    // A batch of one partition waits for what the storage does for another one.
    cluster: { ...QUICK.cluster, shards: 4, partitions: 4 },
    workload: { ...QUICK.workload, clients: 12, mixes: [{ put: 1 }] },
    links: { ...GOOD_LINK, delayMinMs: 0.1, delayMaxMs: 0.5 },
  }),
  script: SCRIPT,
};
