import { CHURN } from './churn.js';
import { QUICK } from './leases.js';
import type { Profile } from '../profile.js';
import { READERS, WRITERS, type Scene, type Script } from '../script.js';
import type { ShardOrdinal } from '@ringleader/primitives';

/** Each set of two or three shards is cut off in turn, for long enough to elect, and the map changes meanwhile. */
const SCRIPT: Script = function* (scene) {
  yield 250;
  const { shards } = scene.cluster;
  for (;;) {
    const side = shards.filter(() => scene.prng.nextBelow(2) === 0);
    const others = shards.filter((shard: ShardOrdinal) => !side.includes(shard));
    const rejoin = scene.separate(side, others);
    for (const shard of side) if (scene.prng.nextBelow(3) === 0) scene.cluster.withholdMapFrom(shard, 200);
    yield scene.leaseMs * scene.between(1, 4);
    rejoin();
    yield scene.between(20, 120);
  }
};

/** Replicas are exchanged all the time, while those who should hear of it do not. */
export const MEMBERSHIP: Profile = {
  ...CHURN,
  name: 'membership',
  about: 'five shards for three replicas, exchanged all the time, learned of late, under cuts',
  settings: (prng) => {
    const settings = CHURN.settings(prng);
    return {
      ...settings,
      cluster: { ...settings.cluster, shards: 5, replicationFactor: 3 },
      workload: {
        ...settings.workload,
        mixes: [{ put: 5, delete: 1, conditional: 1, read: 3, staleRead: 2 }],
      },
      faults: {
        ...settings.faults,
        kinds: ['crash', 'pause', 'badLinks'],
        intensity: prng.nextFloat() * 2,
        epochChangeMs: 40 + prng.nextFloat() * 120,
      },
    };
  },
  script: SCRIPT,
};

/** Two of three old replicas do not hear of an exchange; when it is settled, they are left to themselves. */
const EXCHANGE_BEHIND_BACKS: Script = function* (scene) {
  yield 300;
  const { map, shards } = scene.cluster;
  for (;;) {
    const leader = yield* scene.leader();
    const [unaware, leaving] = scene.others(leader);
    const joining = shards.find((shard) => !map.replicasOf(0).includes(shard));
    if (unaware === undefined || leaving === undefined || joining === undefined) return;
    for (const shard of [unaware, leaving]) scene.cluster.withholdMapFrom(shard, scene.leaseMs * 9);
    const nextReplicas = [leader, unaware, joining];
    changeMap(scene, [leader, joining], { nextReplicas });
    yield scene.leaseMs * 1.5;
    const settled = scene.cluster.leaderOf(0) === leader;
    changeMap(
      scene,
      [leader, joining],
      settled ? { replicas: nextReplicas, nextReplicas: null } : { nextReplicas: null },
    );
    yield scene.leaseMs;
    const rejoin = scene.separate([leader, joining, WRITERS], [unaware, leaving, READERS]);
    yield scene.leaseMs * 3;
    rejoin();
    yield scene.leaseMs * 5;
  }
};

function changeMap(
  { cluster }: Scene,
  aware: readonly ShardOrdinal[],
  change: Parameters<typeof cluster.map.change>[1],
): void {
  cluster.map.change(0, { ...change, preferredLeader: aware[0] as ShardOrdinal });
  for (const shard of aware) cluster.processes.get(shard)?.learnMap(cluster.map.entries());
}

export const STALE_EPOCH: Profile = {
  name: 'stale-epoch',
  about: 'a majority of the old set does not hear of the exchange of a replica',
  settings: () => ({ ...QUICK, cluster: { ...QUICK.cluster, shards: 4 } }),
  script: EXCHANGE_BEHIND_BACKS,
};

/**
 * The leader is the replica that leaves. It is left with one of the old set, which is no majority of the new one, so that
 * it cannot hand over; the others settle and elect among themselves.
 */
const LEFT_WITH_OLD: Script = function* (scene) {
  yield 300;
  const { map, shards } = scene.cluster;
  for (;;) {
    const leader = yield* scene.leader();
    const [witness, staying] = scene.others(leader);
    const joining = shards.find((shard) => !map.replicasOf(0).includes(shard));
    if (witness === undefined || staying === undefined || joining === undefined) return;
    const nextReplicas = [witness, staying, joining];
    // What is written now waits for a majority of the new set, and the handover waits for that.
    const reunite = scene.separate([leader, witness, READERS, WRITERS], [staying, joining]);
    map.change(0, { nextReplicas, preferredLeader: leader });
    for (const shard of shards) scene.cluster.processes.get(shard)?.learnMap(map.entries());
    yield scene.leaseMs * 0.5;
    reunite();
    if ((yield* scene.leader()) === leader) {
      const rejoin = scene.separate([leader, witness, READERS], [staying, joining, WRITERS]);
      yield scene.leaseMs * 1.2;
      for (const shard of [leader, witness]) scene.cluster.withholdMapFrom(shard, scene.leaseMs * 2);
      map.change(0, { replicas: nextReplicas, nextReplicas: null, preferredLeader: joining });
      for (const shard of [staying, joining]) scene.cluster.processes.get(shard)?.learnMap(map.entries());
      yield scene.leaseMs;
      rejoin();
    } else {
      map.change(0, { nextReplicas: null });
    }
    yield scene.leaseMs * 3;
  }
};

export const LEAVING_LEADER: Profile = {
  name: 'leaving-leader',
  about: 'a leader that leaves keeps a majority of the old set, others settle without it',
  settings: () => ({ ...QUICK, cluster: { ...QUICK.cluster, shards: 4 } }),
  script: LEFT_WITH_OLD,
};
