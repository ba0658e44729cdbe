/**
 * The target partition map: which shards replicate each partition and which of them is preferred as leader.
 *
 * The ring proposes and the present map decides: replicas stay where they are unless a shard is gone, a zone holds too
 * many of a partition, or a load is out of bounds. Consistent hashing with bounded loads from scratch (Mirrokni,
 * Thorup, Zadimoghaddam 2018) keeps the balance but not the rule that a shard that comes or goes moves at most 1.1 times
 * the minimum: every shard near its bound pushes walks on to the next.
 */
import { isArcCount } from '@ringleader/hash-ring';
import { invariant, type ShardOrdinal } from '@ringleader/primitives';
import { assignLeaders } from './leaders.js';
import type { PlacementRequest, PlacementResult } from './request.js';
import { assignReplicas } from './replicas.js';
import { Rings } from './rings.js';
import { Topology } from './topology.js';

export const EPSILON_DEFAULT = 0.05;

/** Deterministic: equal requests give equal maps, whatever the order of the shards. */
export function computeMap(request: PlacementRequest): PlacementResult {
  const { shards, partitionCount, replicationFactor, epsilon = EPSILON_DEFAULT, current = [] } = request;
  const { rings = new Rings() } = request;
  invariant(isArcCount(partitionCount), 'computeMap: not a partition count');
  invariant(
    replicationFactor >= 1 && epsilon >= 0 && epsilon < 1,
    'computeMap: factor or epsilon out of range',
  );
  invariant(
    new Set(shards.map(({ ordinal }) => ordinal)).size === shards.length,
    'computeMap: an ordinal twice',
  );
  invariant(new Set(shards.map(({ id }) => id)).size === shards.length, 'computeMap: an id twice');
  if (shards.length < replicationFactor)
    return { kind: 'tooFewShards', shards: shards.length, replicationFactor };
  const topology = new Topology({ shards, partitionCount, replicationFactor, epsilon, rings });
  const assignment = assignReplicas(topology, current);
  const leaders = assignLeaders(topology, assignment, current);
  const ordinalOf = (shard: number): ShardOrdinal => topology.shards[shard]!.ordinal;
  const partitions = leaders.map((leader, partition) => ({
    replicas: assignment.replicas(partition).map(ordinalOf),
    preferredLeader: ordinalOf(leader),
  }));
  return { kind: 'placed', partitions };
}
