/**
 * The decisions of placement on which safety rests, one function each, so that a negative control can break one of them
 * and a named check must find it (planner.property.spec.ts, and the simulation).
 */
import type { Epoch, ShardOrdinal } from '@ringleader/primitives';
import { type Exchange, replicated } from './replicated.js';
import type { Health, MapEntry, Place } from './cluster-state.js';

export interface PlannerRules {
  /** The set that comes after: one member of a group is exchanged at once. */
  readonly nextReplicas: (
    replicas: readonly ShardOrdinal[],
    exchange: Exchange,
    target: readonly ShardOrdinal[] | undefined,
  ) => readonly ShardOrdinal[];
  /** By what the spread over zones is planned. */
  readonly zoneOf: (place: Place) => string;
  /** Onto whom a partition is settled. */
  readonly maySettleOnto: (health: Health) => boolean;
  /** Whether a leader has said what it takes to settle: that it is ready at just this epoch. */
  readonly isReady: (report: { readonly epoch: Epoch; readonly ready: boolean }, entry: MapEntry) => boolean;
  /** Whether a shard that is down may be given up, with so many left. */
  readonly mayGiveUp: (left: number, replicationFactor: number) => boolean;
  /** Whether a majority of each of the partition's sets is up, so that somebody else may be given up. */
  readonly survives: (entry: MapEntry, isUp: (ordinal: ShardOrdinal) => boolean) => boolean;
  /** Whether a move goes on, or begins, now. */
  readonly goesOn: (control: { readonly paused: boolean }) => boolean;
  /** How many moves a shard takes part in at once, after so many minutes in which its copies gave way to no users. */
  readonly movesBesideUsers: (minutes: number, most: number) => number;
}

export const PLANNER_RULES: PlannerRules = {
  nextReplicas: (replicas, exchange) => replicated(replicas, exchange),
  zoneOf: ({ zone }) => zone,
  maySettleOnto: (health) => health === 'alive',
  isReady: ({ epoch, ready }, entry) => ready && epoch === entry.epoch,
  mayGiveUp: (left, replicationFactor) => left >= replicationFactor,
  survives: ({ replicas, nextReplicas }, isUp) =>
    [replicas, nextReplicas ?? replicas].every((set) => set.filter(isUp).length > set.length / 2),
  goesOn: ({ paused }) => !paused,
  movesBesideUsers: (minutes, most) => Math.min(1 + minutes, most),
};
