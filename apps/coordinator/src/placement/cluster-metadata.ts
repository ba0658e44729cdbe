/** Reads the cluster's own metadata out of the local store, as this member has applied it. */
import {
  CLUSTER_KEY,
  PARTITIONS_PREFIX,
  SHARDS_PREFIX,
  clusterSchema,
  prefixRange,
  shardSchema,
} from '@ringleader/contracts';
import type { Cluster, ShardRegistration } from '@ringleader/contracts';
import { parseMetadata } from '@ringleader/coordination';
import type { KeyValue, MvccStore } from '@ringleader/mvcc';
import { invariant } from '@ringleader/primitives';

export interface ClusterRecord {
  readonly cluster: Cluster;
  readonly modRevision: number;
}

export function readCluster(store: MvccStore): ClusterRecord | null {
  const [item] = list(store, { key: CLUSTER_KEY, rangeEnd: null });
  return item === undefined
    ? null
    : { cluster: parseMetadata(clusterSchema, item), modRevision: item.modRevision };
}

/** In the order of their ordinals. */
export function readShards(store: MvccStore): ShardRegistration[] {
  return list(store, prefixRange(SHARDS_PREFIX))
    .map((item) => parseMetadata(shardSchema, item))
    .sort((a, b) => a.ordinal - b.ordinal);
}

export function hasPartitionMap(store: MvccStore): boolean {
  return list(store, prefixRange(PARTITIONS_PREFIX), 1).length > 0;
}

function list(
  store: MvccStore,
  range: { key: string; rangeEnd: string | null },
  limit = 0,
): readonly KeyValue[] {
  const outcome = store.range({ ...range, revision: 0, limit });
  invariant(outcome.kind === 'range', 'the present is never compacted');
  return outcome.items;
}
