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
import { parseMetadata } from '@ringleader/coordination';
import { plainRead } from '@ringleader/mvcc';
import type { KeyValue, MvccStore, PutOperation, TxnCommand } from '@ringleader/mvcc';
import { computeMap } from '@ringleader/placement';
import { invariant } from '@ringleader/primitives';
import { toBytes, toWireItem } from '../store/wire.js';

const FIRST_EPOCH = 1;

export interface ClusterRecord {
  readonly cluster: Cluster;
  readonly modRevision: number;
}

export function readCluster(store: MvccStore): ClusterRecord | null {
  const [item] = list(store, { key: CLUSTER_KEY, rangeEnd: null });
  return item === undefined
    ? null
    : { cluster: parseMetadata(clusterSchema, toWireItem(item)), modRevision: item.modRevision };
}

/** In the order of their ordinals. */
export function readShards(store: MvccStore): ShardRegistration[] {
  return list(store, prefixRange(SHARDS_PREFIX))
    .map((item) => parseMetadata(shardSchema, toWireItem(item)))
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
  const outcome = store.range({ ...plainRead, ...range, limit });
  invariant(outcome.kind === 'range', 'the present is never compacted');
  return outcome.items;
}

export function createClusterCommand(cluster: Cluster): TxnCommand {
  return {
    kind: 'txn',
    compare: [{ key: CLUSTER_KEY, rangeEnd: null, target: 'version', result: 'equal', operand: 0 }],
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
      { key: CLUSTER_KEY, rangeEnd: null, target: 'modRevision', result: 'equal', operand: modRevision },
      { key: partitionKey(0), rangeEnd: null, target: 'version', result: 'equal', operand: 0 },
    ],
    success: [
      putJson(CLUSTER_KEY, { ...cluster, initialShards: shards.length }),
      ...entries.map((entry) => putJson(partitionKey(entry.partition), entry)),
    ],
    failure: [],
  };
}

function putJson(key: string, value: Cluster | PartitionEntry): PutOperation {
  return { kind: 'put', key, value: toBytes(JSON.stringify(value)), lease: 0, wantsPrevious: false };
}
