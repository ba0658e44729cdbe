/**
 * What the placement loop decides on: the coordinators' records about the shape of the cluster, as values. Times are
 * milliseconds since 1970 by the clock of whoever wrote them: for people, and to tell one such time from another. How long
 * something has been so is told by `sight`.
 */
import type { Epoch, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';

/** An entry of the partition map (docs/PROTOCOL.md 6). */
export interface MapEntry {
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly replicas: readonly ShardOrdinal[];
  readonly nextReplicas: readonly ShardOrdinal[] | null;
  readonly learners: readonly ShardOrdinal[];
  readonly preferredLeader: ShardOrdinal;
  /** The last time that it went on without a majority, because a person said so (6.8); absent: never. */
  readonly recovery?: PastRecovery | undefined;
}

export interface PastRecovery {
  /** Counts them. */
  readonly times: number;
  readonly epoch: Epoch;
  /** With whose replicas it went on; whoever else has something of it from before has to forget that. */
  readonly kept: readonly ShardOrdinal[];
  /** Whose replicas were given up, ever: what they have set aside is nobody else's, and is for people to look into. */
  readonly lost: readonly ShardOrdinal[];
}

export type PlaceState = 'joining' | 'active' | 'draining' | 'drained' | 'replaced';

/** Of one ordinal. */
export interface Place {
  readonly ordinal: ShardOrdinal;
  readonly shardId: string;
  readonly state: PlaceState;
  readonly zone: string;
  readonly weight: number;
  /** By an operator: then what the shard registers does not count. */
  readonly weightIsSet: boolean;
  /** Of the state. */
  readonly sinceMs: number;
}

/** There as long as the partition has a learner or two sets. */
export interface MoveRecord {
  readonly partition: PartitionIndex;
  readonly add: ShardOrdinal | null;
  readonly remove: ShardOrdinal | null;
  readonly startedAtMs: number;
  readonly isAbandoned: boolean;
}

export interface Limits {
  readonly movesMax: number;
  readonly bytesPerSecondMax: number;
  readonly replaceAfterMs: number;
}

/** What was asked for, so that a repeat is known: by then the plan has another epoch, and the names may stand for others. */
export interface AskedRecovery {
  /** At which the plan was when it began. */
  readonly ifEpoch: number;
  /** In their order. */
  readonly named: readonly string[];
  /** All whose replicas the partitions have lost that it is about. */
  readonly lost: readonly ShardOrdinal[];
}

export interface Control {
  readonly epoch: number;
  readonly paused: boolean;
  /** Of a pause that no person made. */
  readonly pausedBy?: 'operator' | undefined;
  readonly limits: Limits;
  /** The last one that was asked for at an epoch. */
  readonly recovery?: AskedRecovery | undefined;
}

export interface RegisteredShard {
  readonly shardId: string;
  /** The newest: one that was registered under this name before never serves again. */
  readonly ordinal: ShardOrdinal;
  readonly zone: string;
  readonly weight: number;
}

/** A process that holds its lease. */
export interface PresentShard {
  readonly ordinal: ShardOrdinal;
  readonly isServing: boolean;
}

export interface ShardVerdict {
  readonly verdict: 'alive' | 'suspect' | 'down';
  readonly sinceMs: number;
}

export interface ClusterState {
  readonly partitionCount: number;
  readonly replicationFactor: number;
  /** By partition; empty before the first map. */
  readonly map: readonly MapEntry[];
  readonly places: ReadonlyMap<ShardOrdinal, Place>;
  readonly moves: ReadonlyMap<PartitionIndex, MoveRecord>;
  /** Null before the first map, and in a cluster of the version before. */
  readonly control: Control | null;
  /** These three by the shard's name. */
  readonly registrations: ReadonlyMap<string, RegisteredShard>;
  readonly present: ReadonlyMap<string, PresentShard>;
  readonly verdicts: ReadonlyMap<string, ShardVerdict>;
  /** For how many milliseconds something had been so when a leader wrote that down last (`sight`). */
  readonly elapsed: ReadonlyMap<string, number>;
}

/** `gone`: it never serves again under this ordinal. */
export type Health = 'alive' | 'suspect' | 'down' | 'gone';

export function healthOf(state: ClusterState, ordinal: ShardOrdinal): Health {
  const place = state.places.get(ordinal);
  if (place === undefined || place.state === 'replaced') return 'gone';
  if (state.registrations.get(place.shardId)?.ordinal !== ordinal) return 'gone';
  return state.verdicts.get(place.shardId)?.verdict ?? 'alive';
}

/** Since when the shard has been down; null while it is not. */
export function downSince(state: ClusterState, ordinal: ShardOrdinal): number | null {
  const place = state.places.get(ordinal);
  const verdict = place === undefined ? undefined : state.verdicts.get(place.shardId);
  return verdict?.verdict === 'down' ? verdict.sinceMs : null;
}

/** May hold replicas for good: whoever is not `active` is not in the target map. */
export function isEligible(state: ClusterState, ordinal: ShardOrdinal): boolean {
  const place = state.places.get(ordinal);
  return place?.state === 'active' && state.registrations.get(place.shardId)?.ordinal === ordinal;
}

export function eligiblePlaces(state: ClusterState): Place[] {
  return [...state.places.values()].filter(({ ordinal }) => isEligible(state, ordinal));
}

export function nameOf(state: ClusterState, ordinal: ShardOrdinal): string {
  return state.places.get(ordinal)?.shardId ?? `ordinal ${ordinal}`;
}

/** All that the entry names, in whichever role. */
export function membersOf({ replicas, nextReplicas, learners }: MapEntry): readonly ShardOrdinal[] {
  if (nextReplicas === null && learners.length === 0) return replicas;
  return [...new Set([...replicas, ...(nextReplicas ?? []), ...learners])];
}

/** Everybody whom the map names. */
export function holders(map: readonly MapEntry[]): Set<ShardOrdinal> {
  const found = new Set<ShardOrdinal>();
  for (const entry of map) for (const ordinal of membersOf(entry)) found.add(ordinal);
  return found;
}

export function isUnderWay({ nextReplicas, learners }: MapEntry): boolean {
  return nextReplicas !== null || learners.length > 0;
}
