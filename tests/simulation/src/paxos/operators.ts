/** What people and the coordinator do to a cluster while it works: planned restarts, and changes of the map. */
import type { PartitionIndex, Prng, ShardOrdinal } from '@ringleader/primitives';
import type { Cluster } from './cluster.js';

export function schedulePlannedRestarts(cluster: Cluster, prng: Prng): void {
  const { plannedRestartMs } = cluster.settings.faults;
  if (plannedRestartMs === 0) return;
  repeatedly(cluster, prng, plannedRestartMs, () => {
    const shard = cluster.shards[prng.nextBelow(cluster.shards.length)] as ShardOrdinal;
    const node = cluster.world.node(shard);
    if (!node.isUp || node.isPaused) return;
    cluster.processes.get(shard)?.releaseAll();
    const life = node.life;
    cluster.world.events.after(5 + prng.nextFloat() * 60, () => {
      if (node.life === life) node.crash();
    });
    cluster.world.events.after(80 + prng.nextFloat() * 200, () => {
      node.start();
    });
  });
}

/** Each partition goes round: another preferred leader, a learner, a joint change, settled or abandoned. */
export function scheduleEpochChanges(cluster: Cluster, prng: Prng): void {
  const { epochChangeMs } = cluster.settings.faults;
  if (epochChangeMs === 0) return;
  repeatedly(cluster, prng, epochChangeMs, () => {
    changeOne(cluster, prng, prng.nextBelow(cluster.settings.cluster.partitions));
  });
}

function changeOne(cluster: Cluster, prng: Prng, partition: PartitionIndex): void {
  const entry = cluster.map.entry(partition);
  const { replicas } = entry;
  const another = replicas[prng.nextBelow(replicas.length)] as ShardOrdinal;
  cluster.map.change(partition, { preferredLeader: another });
}

function repeatedly(cluster: Cluster, prng: Prng, meanMs: number, act: () => void): void {
  const { events } = cluster.world;
  const next = (): void => {
    events.after(meanMs * 2 * prng.nextFloat(), () => {
      if (events.now >= cluster.settings.faultyMs) return;
      act();
      next();
    });
  };
  next();
}
