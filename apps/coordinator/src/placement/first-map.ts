/** The first steps of a cluster's life, as conditional transactions: a repeat of either finds it done. */
import { CLUSTER_KEY, partitionKey } from '@ringleader/contracts';
import type { Cluster, PartitionEntry, ShardRegistration } from '@ringleader/contracts';
import type { PutOperation, TxnCommand } from '@ringleader/mvcc';
import { computeMap } from '@ringleader/placement';
import type { ClusterRecord } from './cluster-metadata.js';

const FIRST_EPOCH = 1;

export function createClusterCommand(cluster: Cluster): TxnCommand {
  return {
    kind: 'txn',
    compare: [{ key: CLUSTER_KEY, target: 'version', result: 'equal', operand: 0 }],
    success: [putJson(CLUSTER_KEY, cluster)],
    failure: [],
  };
}

/** In one transaction: nobody ever sees a part of the map. Null while there are fewer shards than replicas. */
export function firstMapCommand(
  { cluster, modRevision }: ClusterRecord,
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
      { key: CLUSTER_KEY, target: 'modRevision', result: 'equal', operand: modRevision },
      { key: partitionKey(0), target: 'version', result: 'equal', operand: 0 },
    ],
    success: [
      putJson(CLUSTER_KEY, { ...cluster, initialShards: shards.length }),
      ...entries.map((entry) => putJson(partitionKey(entry.partition), entry)),
    ],
    failure: [],
  };
}

function putJson(key: string, value: Cluster | PartitionEntry): PutOperation {
  return { kind: 'put', key, value: JSON.stringify(value), lease: 0 };
}
