/**
 * From the state the plan: the map that is aimed at, and what is still to be done for it. Nothing of it is stored: each
 * leader of the coordinators works it out anew. The target is kept while the shards that may hold replicas stay the same.
 *
 * Moves under way count as done for the next target, as far as whom they bring may stay: so a change of mind half-way
 * neither undoes what is copied nor finishes what is not wanted. Where taking back what is still being copied needs fewer
 * copies (a drain that is undone), that is the target.
 */
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { LeaderChange } from '../moves.js';
import { computeMap } from '../placement.js';
import type { PartitionPlacement } from '../request.js';
import { Rings } from '../rings.js';
import {
  type ClusterState,
  type MapEntry,
  type MoveRecord,
  type Place,
  eligiblePlaces,
  healthOf,
  isEligible,
  isUnderWay,
  nameOf,
} from './cluster-state.js';
import {
  type MoveReason,
  countHealthy,
  haveSameMembers,
  majorityOf,
  nextExchange,
  reasonOf,
  setsOf,
} from './exchange.js';
import { type Exchange, replicated } from './replicated.js';
import type { PlannerRules } from './rules.js';

export interface WantedMove extends Exchange {
  readonly partition: PartitionIndex;
  readonly entry: MapEntry;
  readonly reason: MoveReason;
  /** Of its replicas: the fewer, the sooner it begins. */
  readonly healthy: number;
}

export interface MoveUnderWay extends Exchange {
  readonly partition: PartitionIndex;
  readonly entry: MapEntry;
  readonly phase: 'learn' | 'joint';
  readonly reason: MoveReason;
  readonly record: MoveRecord | null;
}

export interface Plan {
  /** Null where none can be made. */
  readonly target: readonly PartitionPlacement[] | null;
  /** Why something that should be done cannot be; null if there is nothing of the kind. */
  readonly blocked: string | null;
  readonly underWay: readonly MoveUnderWay[];
  /** In the order in which they will begin; one for each partition, even where two members of it are to be exchanged. */
  readonly wanted: readonly WantedMove[];
  /** Copies that are still to begin. */
  readonly copiesWanted: number;
  /** Of partitions whose replicas are where they should be. */
  readonly leaderChanges: readonly LeaderChange[];
}

interface Target {
  readonly inputs: string;
  /** Of each partition, as it was when this was made. */
  readonly epochs: string;
  readonly partitions: readonly PartitionPlacement[] | null;
}

/** Of all partitions, those that are being copied: where they are fewer there is little to be saved by taking them back. */
const WORTH_ANOTHER_MAP = 0.01;

const REASONS_IN_ORDER: readonly MoveReason[] = ['replace', 'drain', 'zone', 'replicationFactor', 'balance'];

export class Planner {
  #target: Target | null = null;
  #earlier: Target | null = null;
  #rings = new Rings();
  #targetsComputed = 0;

  constructor(private readonly rules: PlannerRules) {}

  /** How often a target was worked out: only when what it is made from has changed. */
  get targetsComputed(): number {
    return this.#targetsComputed;
  }

  /** Another that knows the target: what it plans does not concern this one. */
  fork(): Planner {
    const other = new Planner(this.rules);
    other.#target = this.#target;
    other.#rings = this.#rings;
    return other;
  }

  /**
   * That of the same member in a later term. Another leader may have gone another way meanwhile, so a target of before is good
   * for the very map that it was made from; then it saves the work. With thousands of partitions that may have taken longer than
   * the others wait for a leader, each of which would otherwise end by the same work, again and again.
   */
  ofLaterTerm(): Planner {
    const other = new Planner(this.rules);
    other.#earlier = this.#target ?? this.#earlier;
    other.#rings = this.#rings;
    return other;
  }

  plan(state: ClusterState): Plan {
    const { partitions: target } = this.#targetOf(state);
    const underWay: MoveUnderWay[] = [];
    const wanted: WantedMove[] = [];
    const leaderChanges: LeaderChange[] = [];
    let copiesWanted = 0;
    for (const entry of state.map) {
      if (isUnderWay(entry)) {
        underWay.push(this.#underWay(state, entry, target?.[entry.partition]));
        continue;
      }
      const placement = target?.[entry.partition];
      if (placement === undefined) continue;
      if (haveSameMembers(entry.replicas, placement.replicas)) {
        const { partition, preferredLeader: from } = entry;
        if (from !== placement.preferredLeader)
          leaderChanges.push({ partition, from, to: placement.preferredLeader });
        continue;
      }
      copiesWanted += placement.replicas.filter((ordinal) => !entry.replicas.includes(ordinal)).length;
      wanted.push(this.#wanted(state, entry, placement));
    }
    wanted.sort((a, b) => byUrgency(a, b) || a.partition - b.partition);
    return { target, blocked: whyBlocked(state), underWay, wanted, copiesWanted, leaderChanges };
  }

  #wanted(state: ClusterState, entry: MapEntry, { replicas }: PartitionPlacement): WantedMove {
    const exchange = nextExchange(state, entry.replicas, replicas, this.rules)!;
    return {
      ...exchange,
      partition: entry.partition,
      entry,
      reason: reasonOf(state, entry.replicas, exchange, this.rules),
      healthy: countHealthy(state, entry.replicas),
    };
  }

  /** What the entry says itself counts; the record, for what it does not. */
  #underWay(state: ClusterState, entry: MapEntry, placement: PartitionPlacement | undefined): MoveUnderWay {
    const { partition, replicas, nextReplicas, learners } = entry;
    const record = state.moves.get(partition) ?? null;
    const begun = { add: learners[0] ?? null, remove: record?.remove ?? null };
    const exchange =
      nextReplicas === null
        ? this.#learning(state, begun, entry, placement)
        : difference(replicas, nextReplicas);
    const reason = reasonOf(state, replicas, exchange, this.rules);
    const phase = nextReplicas === null ? 'learn' : 'joint';
    return { ...exchange, partition, entry, phase, reason, record };
  }

  /** Whom the newcomer replaces is decided when it has caught up: the target may have changed meanwhile. */
  #learning(
    state: ClusterState,
    begun: Exchange,
    { replicas }: MapEntry,
    placement: PartitionPlacement | undefined,
  ): Exchange {
    const { add } = begun;
    if (add === null || placement?.replicas.includes(add) !== true) return begun;
    if (replicas.length < placement.replicas.length) return { add, remove: null };
    const kept = replicas.filter((ordinal) => placement.replicas.includes(ordinal));
    // As if only this newcomer were missing: somebody has to go, or there would be one too many.
    return nextExchange(state, replicas, [add, ...kept], this.rules) ?? begun;
  }

  #targetOf(state: ClusterState): Target {
    const shards = eligiblePlaces(state)
      .map((place) => ({
        ordinal: place.ordinal,
        id: place.shardId,
        zone: this.rules.zoneOf(place),
        weight: place.weight,
      }))
      .sort((a, b) => a.ordinal - b.ordinal);
    const { partitionCount, replicationFactor, map } = state;
    const rings = this.#rings;
    const inputs = JSON.stringify([partitionCount, replicationFactor, map.length, shards]);
    if (this.#target?.inputs === inputs) return this.#target;
    const epochs = map.map(({ epoch }) => epoch).join();
    if (this.#earlier?.inputs === inputs && this.#earlier.epochs === epochs) {
      this.#target = this.#earlier;
      return this.#target;
    }
    this.#targetsComputed += 1;
    const compute = (current: readonly PartitionPlacement[]): readonly PartitionPlacement[] | null => {
      const result = computeMap({ partitionCount, replicationFactor, shards, current, rings });
      return result.kind === 'placed' ? result.partitions : null;
    };
    const canPlan = map.length > 0 && shards.length >= replicationFactor;
    this.#target = { inputs, epochs, partitions: canPlan ? cheapest(state, compute) : null };
    return this.#target;
  }
}

function difference(before: readonly ShardOrdinal[], after: readonly ShardOrdinal[]): Exchange {
  return {
    add: after.find((ordinal) => !before.includes(ordinal)) ?? null,
    remove: before.find((ordinal) => !after.includes(ordinal)) ?? null,
  };
}

/** Two ways to see what is still being copied: as done, or as not begun. */
function cheapest(
  state: ClusterState,
  compute: (current: readonly PartitionPlacement[]) => readonly PartitionPlacement[] | null,
): readonly PartitionPlacement[] | null {
  const going = compute(currentOf(state, true));
  const learning = state.map.filter(({ learners }) => learners.length > 0).length;
  if (going === null || learning < WORTH_ANOTHER_MAP * state.map.length || learning === 0) return going;
  const back = compute(currentOf(state, false));
  return back !== null && copiesTo(state, back) < copiesTo(state, going) ? back : going;
}

/** The map as if moves under way were done, those that bring whom may stay. */
function currentOf(state: ClusterState, countsLearners: boolean): PartitionPlacement[] {
  return state.map.map((entry) => {
    const { partition, replicas, nextReplicas, learners, preferredLeader } = entry;
    const record = state.moves.get(partition);
    const isWanted = (ordinal: ShardOrdinal): boolean => isEligible(state, ordinal);
    if (record?.isAbandoned === true) return { replicas, preferredLeader };
    if (nextReplicas !== null) {
      const newcomers = nextReplicas.filter((ordinal) => !replicas.includes(ordinal));
      return { replicas: newcomers.every(isWanted) ? nextReplicas : replicas, preferredLeader };
    }
    const [add] = learners;
    if (add === undefined || !countsLearners || !isWanted(add)) return { replicas, preferredLeader };
    return { replicas: replicated(replicas, { add, remove: record?.remove ?? null }), preferredLeader };
  });
}

/** Copies that it takes from here; one that has begun is half a copy. */
function copiesTo(state: ClusterState, target: readonly PartitionPlacement[]): number {
  let copies = 0;
  for (const { partition, replicas, nextReplicas, learners } of state.map) {
    for (const ordinal of target[partition]!.replicas) {
      if ((nextReplicas ?? replicas).includes(ordinal)) continue;
      copies += learners.includes(ordinal) || replicas.includes(ordinal) ? 0.5 : 1;
    }
  }
  return copies;
}

/** The fewer replicas a partition has, the sooner; then by the reason. */
export function byUrgency(a: WantedMove, b: WantedMove): number {
  return a.healthy - b.healthy || REASONS_IN_ORDER.indexOf(a.reason) - REASONS_IN_ORDER.indexOf(b.reason);
}

function whyBlocked(state: ClusterState): string | null {
  if (state.map.length === 0)
    return 'there is no partition map yet: it is made when enough shards have registered';
  const lost = state.map.find((entry) => hasLostPresent(state, entry));
  if (lost !== undefined) {
    const gone = lost.replicas.filter((ordinal) => healthOf(state, ordinal) === 'gone');
    const names = gone.map((ordinal) => `${nameOf(state, ordinal)} as ordinal ${ordinal}`).join(', ');
    return `partition ${lost.partition} has lost a majority of its replicas for good (${names}): it goes on only if a person says so (ringleader recover)`;
  }
  const eligible: readonly Place[] = eligiblePlaces(state);
  if (eligible.length < state.replicationFactor)
    return `only ${eligible.length} shards are active, and each partition needs ${state.replicationFactor}`;
  return null;
}

/** Where only the next set has lost its majority, the move is taken back. */
export function hasLostPresent(state: ClusterState, { replicas }: MapEntry): boolean {
  const left = replicas.filter((ordinal) => healthOf(state, ordinal) !== 'gone');
  return left.length < majorityOf(replicas);
}

export function hasLostMajority(state: ClusterState, entry: MapEntry): boolean {
  return setsOf(entry).some(
    (set) => set.filter((ordinal) => healthOf(state, ordinal) !== 'gone').length < majorityOf(set),
  );
}
