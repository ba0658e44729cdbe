import type { ShardOrdinal } from '@ringleader/primitives';

export interface ShardEntry {
  /** The member's id. */
  readonly name: string;
  /** Relative capacity. */
  readonly weight: number;
}

/** The shards by their ordinals, as they registered. */
export class ShardDirectory {
  private readonly entries = new Map<ShardOrdinal, ShardEntry>();

  learn(shard: ShardOrdinal, entry: ShardEntry): void {
    this.entries.set(shard, entry);
  }

  name(shard: ShardOrdinal): string {
    return this.entries.get(shard)?.name ?? `ordinal-${shard}`;
  }

  names(shards: ReadonlySet<ShardOrdinal>): string {
    return [...shards].map((shard) => this.name(shard)).join(', ');
  }

  weight(shard: ShardOrdinal): number {
    return this.entries.get(shard)?.weight ?? 1;
  }
}
