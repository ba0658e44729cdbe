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
import type { PartitionEntry, ShardPlace, ShardRegistration } from '@ringleader/contracts';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Coordinator } from './coordination-client.js';
import { listMetadata } from './metadata.js';

export interface ShardsKnown {
  readonly entries: readonly PartitionEntry[];
  readonly registrations: readonly ShardRegistration[];
  readonly places: readonly ShardPlace[];
  /** By name. */
  readonly down: ReadonlySet<string>;
}

/** Partitions of which the others that could still vote are no majority, of either set. */
export function inNeedOf(ordinal: ShardOrdinal, known: ShardsKnown): PartitionIndex[] {
  const replaced = new Set(
    known.places.filter(({ state }) => state === 'replaced').map((place) => place.ordinal),
  );
  const there = new Set(
    known.registrations
      .filter((shard) => !known.down.has(shard.shardId) && !replaced.has(shard.ordinal))
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

export async function partitionsInNeedOf(
  client: Coordinator,
  ordinal: ShardOrdinal,
): Promise<PartitionIndex[]> {
  const registrations = await listMetadata(client, SHARDS_PREFIX, shardSchema);
  const verdicts = await listMetadata(client, verdictKey('shard', ''), verdictRecordSchema);
  return inNeedOf(ordinal, {
    entries: await listMetadata(client, PARTITIONS_PREFIX, partitionEntrySchema),
    registrations,
    places: await listMetadata(client, SHARD_PLACES_PREFIX, shardPlaceSchema),
    down: new Set(verdicts.filter(({ verdict }) => verdict === 'down').map(({ id }) => id)),
  });
}
