import type { ShardOrdinal } from '@ringleader/primitives';

export interface ShardEntry {
  /** The member's id. */
  readonly name: string;
  /** Relative capacity. */
  readonly weight: number;
}

/** The shards by their ordinals, as they registered, with the weights that their places have since. */
export class ShardDirectory {
  private readonly entries = new Map<ShardOrdinal, ShardEntry>();
  private readonly placedWeights = new Map<ShardOrdinal, number>();
  /** Whom the failure detectors suspect, as whoever listens to them tells. */
  isSuspect: (shard: ShardOrdinal) => boolean = () => false;

  learn(shard: ShardOrdinal, entry: ShardEntry): void {
    this.entries.set(shard, entry);
  }

  /** What a shard registers counts until it has a place: that has the weight in force. */
  place(shard: ShardOrdinal, weight: number): void {
    this.placedWeights.set(shard, weight);
  }

  /** It is removed, and its ordinal is never given again. */
  displace(shard: ShardOrdinal): void {
    this.placedWeights.delete(shard);
  }

  name(shard: ShardOrdinal): string {
    return this.entries.get(shard)?.name ?? `ordinal-${shard}`;
  }

  names(shards: ReadonlySet<ShardOrdinal>): string {
    return [...shards].map((shard) => this.name(shard)).join(', ');
  }

  weight(shard: ShardOrdinal): number {
    return this.placedWeights.get(shard) ?? this.entries.get(shard)?.weight ?? 1;
  }
}
