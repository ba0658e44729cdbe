/** Where partitions are, and who is there, as a gateway tells. */
import type { ClusterView, PartitionView, PlacedShard } from '@ringleader/contracts';
import type { ClusterUnderTest } from './cluster-under-test.js';

export interface Placement {
  readonly shards: readonly PlacedShard[];
  /** Names of all shards that hold a partition. */
  readonly owners: readonly string[];
}

export async function placementOf(cluster: ClusterUnderTest): Promise<Placement> {
  const { items: shards } = await cluster.ask<{ items: PlacedShard[] }>('/v1/cluster/shards');
  const { items } = await cluster.ask<{ items: PartitionView[] }>('/v1/cluster/partitions');
  const owners = new Set(
    items.flatMap(({ replicas, nextReplicas, learners }) => [
      ...replicas,
      ...(nextReplicas ?? []),
      ...learners,
    ]),
  );
  return { shards, owners: [...owners].sort() };
}

/** How many partitions a shard leads now, by its own announcements. */
export async function ledBy(cluster: ClusterUnderTest, shard: string): Promise<number> {
  const { partitionMap } = await cluster.ask<ClusterView>('/v1/cluster');
  return partitionMap.shards.find((one) => one.shard === shard)?.leaders ?? 0;
}

/** What the failure detectors say of a member. */
export async function verdictOf(cluster: ClusterUnderTest, id: string): Promise<string> {
  const { members } = await cluster.ask<ClusterView>('/v1/cluster');
  return members.find((member) => member.id === id)?.verdict ?? 'none';
}
