/** What a placement is asked for, and the answer. */
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Rings } from './rings.js';

export interface PlacementShard {
  readonly ordinal: ShardOrdinal;
  /** Where it stands on the ring depends on this, so it never changes. */
  readonly id: string;
  /** Shards with equal zones are expected to fail together; '' is a zone like any other. */
  readonly zone: string;
  /** Relative capacity, > 0. */
  readonly weight: number;
}

export interface PartitionPlacement {
  readonly replicas: readonly ShardOrdinal[];
  readonly preferredLeader: ShardOrdinal;
}

/** By partition index. Empty for the first map. */
export type CurrentMap = readonly (PartitionPlacement | undefined)[];

export interface PlacementRequest {
  /** A power of two up to 16384; real clusters have 16 or more. */
  readonly partitionCount: number;
  readonly replicationFactor: number;
  /** All that may hold replicas: leave out who is leaving. Order does not matter; ordinals and ids are unique. */
  readonly shards: readonly PlacementShard[];
  /** How far loads may be from their share before anything moves; 0.05 by default. */
  readonly epsilon?: number;
  readonly current?: CurrentMap;
  /** To be kept by who asks often. */
  readonly rings?: Rings;
}

export type PlacementResult =
  | { readonly kind: 'placed'; readonly partitions: readonly PartitionPlacement[] }
  /** A partition's replicas are on distinct shards: there must be at least as many of these. */
  | { readonly kind: 'tooFewShards'; readonly shards: number; readonly replicationFactor: number };
