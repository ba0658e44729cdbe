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
    const partition = prng.nextBelow(cluster.settings.cluster.partitions);
    const { nextReplicas, learners } = cluster.map.entry(partition);
    if (nextReplicas !== null) endJoint(cluster, prng, partition, nextReplicas);
    else if (learners.length > 0) beginJoint(cluster, prng, partition, learners);
    else changeSingle(cluster, prng, partition);
  });
}

/** docs/PROTOCOL.md 6.1: one more replica learns, where there is one; else another one should lead. */
function changeSingle(cluster: Cluster, prng: Prng, partition: PartitionIndex): void {
  const { replicas } = cluster.map.entry(partition);
  const outsiders = cluster.shards.filter((shard) => !replicas.includes(shard));
  const outsider = outsiders[prng.nextBelow(Math.max(1, outsiders.length))];
  if (outsider !== undefined && prng.nextBelow(3) > 0) {
    cluster.map.change(partition, { learners: [outsider] });
  } else {
    cluster.map.change(partition, { preferredLeader: drawFrom(prng, replicas) });
  }
}

/** docs/PROTOCOL.md 6.2. */
function beginJoint(
  cluster: Cluster,
  prng: Prng,
  partition: PartitionIndex,
  learners: readonly ShardOrdinal[],
): void {
  const { replicas } = cluster.map.entry(partition);
  const leaving = drawFrom(prng, replicas);
  const nextReplicas = [...replicas.filter((shard) => shard !== leaving), ...learners];
  if (cluster.broken.skipsJoint === true) {
    cluster.map.change(partition, { replicas: nextReplicas, learners: [] });
  } else {
    cluster.map.change(
      partition,
      prng.nextBelow(4) === 0 ? { learners: [] } : { nextReplicas, learners: [] },
    );
  }
}

/** docs/PROTOCOL.md 6.3, 6.4: settled on a committed barrier at exactly this epoch only; abandoned at any time. */
function endJoint(
  cluster: Cluster,
  prng: Prng,
  partition: PartitionIndex,
  nextReplicas: readonly ShardOrdinal[],
): void {
  const entry = cluster.map.entry(partition);
  const leader = cluster.leaderOf(partition);
  const isProven = leader !== null && cluster.status(leader, partition)?.epoch === entry.epoch;
  const isReady = isProven || cluster.broken.settlesUnproven === true;
  if (isReady && prng.nextBelow(4) > 0) {
    const preferredLeader = nextReplicas.includes(entry.preferredLeader)
      ? entry.preferredLeader
      : drawFrom(prng, nextReplicas);
    cluster.map.change(partition, { replicas: nextReplicas, nextReplicas: null, preferredLeader });
  } else if (prng.nextBelow(4) === 0) {
    cluster.map.change(partition, { nextReplicas: null });
  }
}

function drawFrom(prng: Prng, set: readonly ShardOrdinal[]): ShardOrdinal {
  return set[prng.nextBelow(set.length)] as ShardOrdinal;
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
