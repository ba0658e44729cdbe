/** One member of a partition's group is exchanged. */
import type { ShardOrdinal } from '@ringleader/primitives';

export interface Exchange {
  /** Null only where the replication factor falls. */
  readonly add: ShardOrdinal | null;
  /** Null only where the replication factor rises. */
  readonly remove: ShardOrdinal | null;
}

/** The newcomer takes the place of whom it replaces: places say who stands first for election. */
export function replicated(replicas: readonly ShardOrdinal[], { add, remove }: Exchange): ShardOrdinal[] {
  if (remove === null) return add === null ? [...replicas] : [...replicas, add];
  return replicas.flatMap((ordinal) => (ordinal !== remove ? ordinal : (add ?? [])));
}
