/** Figures about maps: how even one is, and what moved between two. */
import type { ShardOrdinal } from '@ringleader/primitives';
import { compareMaps } from './moves.js';
import type { PartitionPlacement, PlacementShard } from './request.js';

export interface ShardLoad {
  readonly ordinal: ShardOrdinal;
  readonly replicas: number;
  readonly leaders: number;
}

/** Loads per weight, relative to their mean: 1 is even. */
export interface Evenness {
  readonly min: number;
  readonly max: number;
}

export interface BalanceReport {
  readonly shards: readonly ShardLoad[];
  readonly replicas: Evenness;
  readonly leaders: Evenness;
}

export function reportBalance(
  map: readonly PartitionPlacement[],
  shards: readonly PlacementShard[],
): BalanceReport {
  const loads = shards.map(({ ordinal }) => ({
    ordinal,
    replicas: map.filter(({ replicas }) => replicas.includes(ordinal)).length,
    leaders: map.filter(({ preferredLeader }) => preferredLeader === ordinal).length,
  }));
  const weights = shards.map(({ weight }) => weight);
  return {
    shards: loads,
    replicas: evenness(
      loads.map(({ replicas }) => replicas),
      weights,
    ),
    leaders: evenness(
      loads.map(({ leaders }) => leaders),
      weights,
    ),
  };
}

export interface MovementReport {
  /** Replicas of partitions that were put on a shard which did not hold them. */
  readonly moved: number;
  /** The least that must move to or from one shard of so many: partitions x replicas / shards, for each that came or went. */
  readonly minimum: number;
  readonly leaderChanges: number;
}

/**
 * What changed between the maps of two sets of shards of equal weights. When k shards join to make N, the least is
 * P x RF x k / N; when k of N leave, the same.
 */
export function reportMovement(
  before: { readonly map: readonly PartitionPlacement[]; readonly shardCount: number },
  after: { readonly map: readonly PartitionPlacement[]; readonly shardCount: number },
): MovementReport {
  const { moves, leaderChanges } = compareMaps(before.map, after.map);
  const replicas = after.map.reduce((sum, partition) => sum + partition.replicas.length, 0);
  const changed = Math.abs(after.shardCount - before.shardCount);
  return {
    moved: moves.filter(({ add }) => add !== null).length,
    minimum: (replicas * changed) / Math.max(before.shardCount, after.shardCount),
    leaderChanges: leaderChanges.length,
  };
}

function evenness(loads: readonly number[], weights: readonly number[]): Evenness {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
  const meanPerWeight = sum(loads) / sum(weights);
  const relative = loads.map((load, index) => load / weights[index]! / meanPerWeight);
  return { min: Math.min(...relative), max: Math.max(...relative) };
}
