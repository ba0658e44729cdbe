/** Where partitions are, as a gateway tells. */
import type { PlacedShard } from '@ringleader/contracts';
import type { ClusterUnderTest } from './cluster-under-test.js';

interface Entry {
  readonly replicas: readonly string[];
  readonly nextReplicas: readonly string[] | null;
  readonly learners: readonly string[];
}

export interface Placement {
  readonly shards: readonly PlacedShard[];
  /** Names of all shards that hold a partition. */
  readonly owners: readonly string[];
}

export async function placementOf(cluster: ClusterUnderTest): Promise<Placement> {
  const { items: shards } = await cluster.ask<{ items: PlacedShard[] }>('/v1/cluster/shards');
  const { items } = await cluster.ask<{ items: Entry[] }>('/v1/cluster/partitions');
  const owners = new Set(
    items.flatMap(({ replicas, nextReplicas, learners }) => [
      ...replicas,
      ...(nextReplicas ?? []),
      ...learners,
    ]),
  );
  return { shards, owners: [...owners].sort() };
}
