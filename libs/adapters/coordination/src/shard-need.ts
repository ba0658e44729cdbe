/**
 * Whether partitions could do without a shard's replicas, as the coordinators know it: the condition for a shard to come
 * back as a new one (docs/PROTOCOL.md 4.10). What only that shard may still have is not given up by a machine.
 */
import {
  PARTITIONS_PREFIX,
  SHARDS_PREFIX,
  SHARD_PLACES_PREFIX,
  partitionEntrySchema,
  shardPlaceSchema,
  shardSchema,
  verdictKey,
  verdictRecordSchema,
} from '@ringleader/contracts';
import type { PartitionEntry, ShardRegistration } from '@ringleader/contracts';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Coordinator } from './coordination-client.js';
import { listMetadata } from './metadata.js';

export interface ShardsKnown {
  readonly entries: readonly PartitionEntry[];
  readonly registrations: readonly ShardRegistration[];
  /** Whose partitions get replicas elsewhere. */
  readonly replaced: ReadonlySet<ShardOrdinal>;
  /** By name. */
  readonly down: ReadonlySet<string>;
}

/** Partitions of which the others that could still vote are no majority, of either set. */
export function inNeedOf(ordinal: ShardOrdinal, known: ShardsKnown): PartitionIndex[] {
  const there = new Set(
    known.registrations
      .filter((shard) => !known.down.has(shard.shardId) && !known.replaced.has(shard.ordinal))
      .filter(({ setsAside }) => setsAside !== true)
      .map((shard) => shard.ordinal),
  );
  const isMajority = (set: readonly ShardOrdinal[]): boolean =>
    !set.includes(ordinal) ||
    set.filter((each) => each !== ordinal && there.has(each)).length > set.length / 2;
  return known.entries
    .filter(({ replicas, nextReplicas }) => !isMajority(replicas) || !isMajority(nextReplicas ?? []))
    .map(({ partition }) => partition);
}

/** Of what cannot be read the worst is assumed: that the partition needs the shard, that another shard cannot vote. */
export async function partitionsInNeedOf(
  client: Coordinator,
  ordinal: ShardOrdinal,
): Promise<PartitionIndex[]> {
  const registrations = await listMetadata(client, SHARDS_PREFIX, shardSchema);
  const verdicts = await listMetadata(client, verdictKey('shard', ''), verdictRecordSchema);
  const entries = await listMetadata(client, PARTITIONS_PREFIX, partitionEntrySchema);
  const places = await listMetadata(client, SHARD_PLACES_PREFIX, shardPlaceSchema);
  const down = verdicts.values.filter(({ verdict }) => verdict === 'down').map(({ id }) => id);
  const replaced = places.values.filter(({ state }) => state === 'replaced').map((place) => place.ordinal);
  const inNeed = inNeedOf(ordinal, {
    entries: entries.values,
    registrations: registrations.values,
    replaced: new Set([...replaced, ...places.unreadable.map(Number)]),
    down: new Set([...down, ...verdicts.unreadable]),
  });
  return [...inNeed, ...entries.unreadable.map(Number)];
}
