/** Which replica of each partition is preferred as its leader. Leadership is spread like the replicas are. */
import type { PartitionIndex } from '@ringleader/primitives';
import type { Assignment } from './assignment.js';
import { balance } from './balance.js';
import type { CurrentMap } from './request.js';
import { fairShares, loadBounds } from './shares.js';
import type { ShardIndex, Topology } from './topology.js';

/** The leader of each partition. */
export function assignLeaders(topology: Topology, assignment: Assignment, current: CurrentMap): ShardIndex[] {
  const consumers = topology.shards.map(({ weight }, shard) => ({
    weight,
    capacity: assignment.load(shard),
    group: 0,
  }));
  const shares = fairShares(topology.partitionCount, consumers, [topology.partitionCount]);
  const bounds = shares.map((share) => loadBounds(share, topology.epsilon));
  const leaders = Array.from({ length: topology.partitionCount }, (_, partition) =>
    leaderThatStays(topology, assignment, current, partition),
  );
  const led = topology.shards.map(() => new Set<PartitionIndex>());
  const appoint = (partition: PartitionIndex, shard: ShardIndex): void => {
    leaders[partition] = shard;
    led[shard]!.add(partition);
  };
  leaders.forEach((shard, partition) => {
    if (shard !== undefined) appoint(partition, shard);
  });
  const pressure = (shard: ShardIndex): number => led[shard]!.size - shares[shard]!;
  leaders.forEach((shard, partition) => {
    if (shard !== undefined) return;
    const replicas = assignment.replicas(partition);
    appoint(
      partition,
      replicas.reduce((best, other) => (pressure(other) < pressure(best) ? other : best)),
    );
  });
  balance({
    bounds,
    load: (shard) => led[shard]!.size,
    findMove: (from, to) => firstWhere(led[from]!, (partition) => assignment.holds(to, partition)),
    move(partition, from, to) {
      led[from]!.delete(partition);
      appoint(partition, to);
    },
  });
  return leaders as ShardIndex[];
}

function leaderThatStays(
  topology: Topology,
  assignment: Assignment,
  current: CurrentMap,
  partition: PartitionIndex,
): ShardIndex | undefined {
  const entry = current[partition];
  const shard = entry === undefined ? undefined : topology.indexOf(entry.preferredLeader);
  return shard !== undefined && assignment.holds(shard, partition) ? shard : undefined;
}

function firstWhere<T>(items: Iterable<T>, passes: (item: T) => boolean): T | undefined {
  for (const item of items) if (passes(item)) return item;
  return undefined;
}
