/** Whom to ask, out of the leader table, the partition map, the balancer and what the failure detectors say. */
import type { Balancer } from '@ringleader/balancer';
import type { Epoch, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { PartitionMapView } from '../kv/key-value-store.js';
import type { LeaderTable, Route } from './leader-table.js';
import type { ShardDirectory } from './shard-directory.js';
import type { Routes } from './targets.js';

export interface ClusterRoutesOptions {
  readonly leaders: LeaderTable;
  readonly map: PartitionMapView;
  readonly balancer: Balancer;
  readonly shardDirectory: ShardDirectory;
  readonly isSuspect: (shard: ShardOrdinal) => boolean;
}

export class ClusterRoutes implements Routes {
  private probes = 0;

  constructor(private readonly options: ClusterRoutesOptions) {}

  leader(partition: PartitionIndex, now: MonotonicMs): Route | null {
    return this.options.leaders.route(partition, now) ?? this.probe(partition);
  }

  replica(partition: PartitionIndex, passedOver: readonly ShardOrdinal[]): Route | null {
    const entry = this.options.map.entries[partition];
    if (entry === undefined) return null;
    const { balancer, shardDirectory, isSuspect } = this.options;
    const candidates = entry.replicas
      .filter((shard) => !passedOver.includes(shard))
      .map((shard) => ({ id: shard, weight: shardDirectory.weight(shard), suspect: isSuspect(shard) }));
    const picked = balancer.pick(candidates);
    return picked === undefined ? null : stranger(picked.id, entry.epoch);
  }

  /** With no leader heard of yet, its replicas are asked in turn, from the preferred leader on. */
  private probe(partition: PartitionIndex): Route | null {
    const entry = this.options.map.entries[partition];
    if (entry === undefined) return null;
    const { replicas, preferredLeader, epoch } = entry;
    const first = Math.max(0, replicas.indexOf(preferredLeader));
    const shard = replicas[(first + this.probes++) % replicas.length] ?? preferredLeader;
    return stranger(shard, epoch);
  }
}

function stranger(shard: ShardOrdinal, epoch: Epoch): Route {
  return { shard, ballot: 0, epoch };
}
