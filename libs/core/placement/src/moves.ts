/** What it takes to get from one map to another, as data for an executor. */
import { invariant, type PartitionIndex, type ShardOrdinal } from '@ringleader/primitives';
import type { PartitionPlacement } from './request.js';

/** One member of one partition's group is exchanged. Where two of a partition are, they are done one after the other. */
export interface ReplicaMove {
  readonly partition: PartitionIndex;
  /** Null only where the replication factor falls. */
  readonly add: ShardOrdinal | null;
  /** Null only where the replication factor rises. */
  readonly remove: ShardOrdinal | null;
}

export interface LeaderChange {
  readonly partition: PartitionIndex;
  readonly from: ShardOrdinal;
  readonly to: ShardOrdinal;
}

export interface MapDifference {
  readonly moves: readonly ReplicaMove[];
  readonly leaderChanges: readonly LeaderChange[];
}

export function compareMaps(
  current: readonly PartitionPlacement[],
  target: readonly PartitionPlacement[],
): MapDifference {
  invariant(current.length === target.length, 'compareMaps: maps of different sizes');
  const moves: ReplicaMove[] = [];
  const leaderChanges: LeaderChange[] = [];
  target.forEach(({ replicas, preferredLeader: to }, partition) => {
    const { replicas: before, preferredLeader: from } = current[partition]!;
    const added = replicas.filter((ordinal) => !before.includes(ordinal));
    const removed = before.filter((ordinal) => !replicas.includes(ordinal));
    for (let i = 0; i < Math.max(added.length, removed.length); i++) {
      moves.push({ partition, add: added[i] ?? null, remove: removed[i] ?? null });
    }
    if (from !== to) leaderChanges.push({ partition, from, to });
  });
  return { moves, leaderChanges };
}
