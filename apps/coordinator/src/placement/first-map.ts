/**
 * The first steps of a cluster's life, as conditional transactions: a repeat of either finds it done; and what they rest on,
 * the cluster's own metadata as this member has applied it.
 */
import {
  CLUSTER_KEY,
  PARTITIONS_PREFIX,
  SHARDS_PREFIX,
  clusterSchema,
  partitionKey,
  prefixRange,
  shardSchema,
} from '@ringleader/contracts';
import type { Cluster, PartitionEntry, ShardRegistration } from '@ringleader/contracts';
import type { MvccStore, TxnCommand } from '@ringleader/mvcc';
import { computeMap } from '@ringleader/placement';
import {
  hasMetadata,
  isAbsent,
  type MetadataItem,
  putMetadata,
  readMetadata,
  readReadable,
} from '../store/metadata.js';

const FIRST_EPOCH = 1;

export type ClusterRecord = MetadataItem<Cluster>;

export function readCluster(store: MvccStore): ClusterRecord | null {
  return readMetadata(store, { key: CLUSTER_KEY, rangeEnd: null }, clusterSchema)[0] ?? null;
}

/** In the order of their ordinals. */
export function readShards(store: MvccStore): ShardRegistration[] {
  return readReadable(store, prefixRange(SHARDS_PREFIX), shardSchema)
    .map(({ value }) => value)
    .sort((a, b) => a.ordinal - b.ordinal);
}

export function hasPartitionMap(store: MvccStore): boolean {
  return hasMetadata(store, prefixRange(PARTITIONS_PREFIX));
}

export function createClusterCommand(cluster: Cluster): TxnCommand {
  return {
    kind: 'txn',
    compare: [isAbsent(CLUSTER_KEY)],
    success: [putMetadata(CLUSTER_KEY, cluster)],
    failure: [],
  };
}

/** In one transaction: nobody ever sees a part of the map. Null while there are fewer shards than replicas. */
export function firstMapCommand(
  { value: cluster, modRevision }: ClusterRecord,
  shards: readonly ShardRegistration[],
): TxnCommand | null {
  const { partitionCount, replicationFactor } = cluster;
  const candidates = shards.map(({ shardId, ordinal, zone, weight }) => ({
    id: shardId,
    ordinal,
    zone,
    weight,
  }));
  const placed = computeMap({ partitionCount, replicationFactor, shards: candidates });
  if (placed.kind === 'tooFewShards') return null;
  const entries = placed.partitions.map(({ replicas, preferredLeader }, partition): PartitionEntry => {
    return {
      partition,
      epoch: FIRST_EPOCH,
      replicas: [...replicas],
      nextReplicas: null,
      learners: [],
      preferredLeader,
    };
  });
  return {
    kind: 'txn',
    compare: [
      { key: CLUSTER_KEY, rangeEnd: null, target: 'modRevision', result: 'equal', operand: modRevision },
      isAbsent(partitionKey(0)),
    ],
    success: [
      putMetadata(CLUSTER_KEY, { ...cluster, initialShards: shards.length }),
      ...entries.map((entry) => putMetadata(partitionKey(entry.partition), entry)),
    ],
    failure: [],
  };
}
