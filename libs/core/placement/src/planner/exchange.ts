/** How one partition gets from its present replicas to those wanted: one member at a time, and which first. */
import type { ShardOrdinal } from '@ringleader/primitives';
import { type ClusterState, type Health, type MapEntry, healthOf } from './cluster-state.js';
import { type Exchange, replicated } from './replicated.js';
import type { PlannerRules } from './rules.js';

export type MoveReason = 'balance' | 'drain' | 'replace' | 'zone' | 'replicationFactor';

type Replicas = readonly ShardOrdinal[];

export function haveSameMembers(a: Replicas, b: Replicas): boolean {
  return a.length === b.length && a.every((ordinal) => b.includes(ordinal));
}

/** The next one; null if there is none. In between the replicas are in no fewer zones than now or at the end. */
export function nextExchange(
  state: ClusterState,
  replicas: Replicas,
  target: Replicas,
  rules: PlannerRules,
): Exchange | null {
  const added = target.filter((ordinal) => !replicas.includes(ordinal));
  const removed = replicas.filter((ordinal) => !target.includes(ordinal));
  if (added.length === 0 && removed.length === 0) return null;
  if (added.length === 0) return { add: null, remove: mostUrgent(state, removed) };
  if (removed.length === 0) return { add: added[0]!, remove: null };
  const zone = (ordinal: ShardOrdinal): string => {
    const place = state.places.get(ordinal);
    return place === undefined ? '' : rules.zoneOf(place);
  };
  let best: { readonly exchange: Exchange; readonly score: readonly number[] } | null = null;
  for (const remove of removed) {
    for (const add of added) {
      const between = replicated(replicas, { add, remove });
      const score = [
        new Set(between.map(zone)).size,
        URGENCY[healthOf(state, remove)],
        target.indexOf(add) === replicas.indexOf(remove) ? 1 : 0,
      ];
      if (best === null || isGreater(score, best.score)) best = { exchange: { add, remove }, score };
    }
  }
  return best!.exchange;
}

/** Where a replica is lost already there is more to be won. */
const URGENCY: Readonly<Record<Health, number>> = { gone: 3, down: 2, suspect: 1, alive: 0 };

export function mostUrgent(state: ClusterState, ordinals: Replicas): ShardOrdinal {
  return ordinals.reduce((first, other) =>
    URGENCY[healthOf(state, other)] > URGENCY[healthOf(state, first)] ? other : first,
  );
}

function isGreater(a: readonly number[], b: readonly number[]): boolean {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at !== -1 && a[at]! > b[at]!;
}

export function reasonOf(
  state: ClusterState,
  replicas: Replicas,
  exchange: Exchange,
  rules: PlannerRules,
): MoveReason {
  const { add, remove } = exchange;
  if (remove !== null && healthOf(state, remove) === 'gone') return 'replace';
  if (remove !== null && ['draining', 'drained'].includes(state.places.get(remove)?.state ?? ''))
    return 'drain';
  if (add === null || remove === null) return 'replicationFactor';
  const zones = (of: Replicas): number =>
    new Set(of.flatMap((ordinal) => state.places.get(ordinal) ?? []).map(rules.zoneOf)).size;
  return zones(replicated(replicas, exchange)) > zones(replicas) ? 'zone' : 'balance';
}

/**
 * Who should lead: the first of `wished` that is in `candidates` and alive; then any that is alive; then the first of
 * `candidates`. These are in the order of their places.
 */
export function chooseLeader(state: ClusterState, wished: Replicas, candidates: Replicas): ShardOrdinal {
  const alive = candidates.filter((ordinal) => healthOf(state, ordinal) === 'alive');
  return wished.find((ordinal) => alive.includes(ordinal)) ?? alive[0] ?? candidates[0]!;
}

/** Not down, and not gone for good. */
export function countHealthy(state: ClusterState, replicas: Replicas): number {
  return replicas.filter((ordinal) => ['alive', 'suspect'].includes(healthOf(state, ordinal))).length;
}

export const majorityOf = (replicas: Replicas): number => Math.floor(replicas.length / 2) + 1;

/** The sets of which each needs a majority. */
export function setsOf({ replicas, nextReplicas }: MapEntry): Replicas[] {
  return nextReplicas === null ? [replicas] : [replicas, nextReplicas];
}
