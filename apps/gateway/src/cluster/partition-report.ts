/** Where partitions and keys are, out of the map and what leaders announce. */
import { OperationalError } from '@ringleader/contracts';
import type { KeyPlace, PartitionEntry, PartitionView } from '@ringleader/contracts';
import { partitionOf } from '@ringleader/hash-ring';
import type { MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { PartitionMapView } from '../routing/routing-table.js';

export interface PartitionReportOptions {
  readonly map: PartitionMapView;
  readonly announcedLeader: (partition: PartitionIndex, now: MonotonicMs) => ShardOrdinal | null;
  readonly name: (shard: ShardOrdinal) => string;
  readonly monotonicMs: () => MonotonicMs;
}

export class PartitionReport {
  constructor(private readonly options: PartitionReportOptions) {}

  get entries(): readonly PartitionEntry[] {
    return this.options.map.entries;
  }

  announcedLeader(partition: PartitionIndex, now: MonotonicMs): ShardOrdinal | null {
    return this.options.announcedLeader(partition, now);
  }

  partitions(): PartitionView[] {
    const now = this.options.monotonicMs();
    return this.options.map.entries.map((entry) => this.view(entry, now));
  }

  where(key: string): KeyPlace {
    const { map, monotonicMs } = this.options;
    if (map.partitionCount === 0) throw new OperationalError('UNAVAILABLE', 'There is no partition map yet');
    const entry = map.entry(partitionOf(key, map.partitionCount));
    if (entry === undefined)
      throw new OperationalError('UNAVAILABLE', 'The map entry of this partition cannot be read');
    return { key, ...this.view(entry, monotonicMs()) };
  }

  private view(entry: PartitionEntry, now: MonotonicMs): PartitionView {
    const { announcedLeader, name } = this.options;
    const { partition, epoch, replicas, nextReplicas, learners, preferredLeader } = entry;
    const leader = announcedLeader(partition, now);
    return {
      ...{ partition, epoch },
      replicas: replicas.map(name),
      nextReplicas: nextReplicas?.map(name) ?? null,
      learners: learners.map(name),
      leader: leader === null ? null : name(leader),
      preferredLeader: name(preferredLeader),
    };
  }
}
