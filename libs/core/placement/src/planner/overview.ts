/** The cluster's shape and its plan in words and figures: what operators read. */
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import { whyNotRemovable } from './commands.js';
import {
  type ClusterState,
  type Control,
  type Limits,
  type Place,
  type PlaceState,
  membersOf,
  nameOf,
} from './cluster-state.js';
import type { MoveReason } from './exchange.js';
import type { Look } from './loop.js';
import type { MoveUnderWay, WantedMove } from './planner.js';
import type { MoveReports } from './reports.js';
import type { Decision } from './steps.js';

export interface ShardOverview {
  readonly shard: string;
  readonly ordinal: ShardOrdinal;
  readonly state: PlaceState;
  readonly sinceMs: number;
  readonly verdict: 'alive' | 'suspect' | 'down';
  readonly zone: string;
  readonly weight: number;
  readonly replicas: number;
  readonly leaders: number;
  readonly arriving: number;
  readonly departing: number;
  readonly notRemovable: string | null;
}

export interface MoveOverview {
  readonly partition: PartitionIndex;
  readonly add: string | null;
  readonly remove: string | null;
  readonly reason: MoveReason;
  readonly phase: 'planned' | 'learn' | 'joint' | 'abandoning';
  readonly waitsFor: string;
  readonly startedAtMs: number | null;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly bytesPerSecond: number;
  readonly endsInMs: number | null;
}

export interface PlanOverview {
  readonly epoch: number;
  readonly paused: boolean;
  readonly pausedBy?: 'operator';
  readonly limits: Limits;
  readonly blocked: string | null;
  readonly moves: readonly MoveOverview[];
  readonly movesTotal: number;
  readonly leaderChanges: number;
  readonly bytesTotal: number;
}

export interface Overview {
  readonly shards: readonly ShardOverview[];
  readonly plan: PlanOverview;
}

const MOVES_LISTED_MAX = 1_000;
const MS_PER_SECOND = 1_000;

export interface Seen {
  readonly state: ClusterState;
  readonly look: Pick<Look, 'plan' | 'decisions' | 'places'>;
  readonly reports: MoveReports;
  readonly initialLimits: Limits;
}

export function describe(seen: Seen): Overview {
  return { shards: describeShards(seen), plan: describePlan(seen) };
}

function describePlan({ state, look, reports, initialLimits }: Seen): PlanOverview {
  const { plan, decisions, places } = look;
  const control: Control = state.control ?? { epoch: 1, paused: false, limits: initialLimits };
  const { epoch, paused, pausedBy, limits } = control;
  const underWay = decisions.underWay.map((decision) => describeMove(state, decision, reports));
  const begun = underWay.reduce(
    (sum, { bytesDone, bytesTotal }) => sum + Math.max(0, bytesTotal - bytesDone),
    0,
  );
  const room = Math.max(0, MOVES_LISTED_MAX - underWay.length);
  const wanted = decisions.wanted.slice(0, room).map((decision) => describeWanted(state, decision, reports));
  return {
    epoch,
    paused,
    ...(pausedBy !== undefined && { pausedBy }),
    limits,
    blocked: plan.blocked ?? places.kept[0] ?? null,
    moves: [...underWay, ...wanted].slice(0, MOVES_LISTED_MAX),
    movesTotal: underWay.length + decisions.wanted.length,
    leaderChanges: plan.leaderChanges.length,
    bytesTotal: Math.round(begun + plan.copiesWanted * reports.bytesPerCopy),
  };
}

function describeMove(
  state: ClusterState,
  { move, step, waitsFor }: Decision<MoveUnderWay>,
  reports: MoveReports,
): MoveOverview {
  const { partition, phase, reason, record, entry } = move;
  const { bytesDone, bytesTotal, bytesPerSecond } = reports.progress(entry);
  const left = Math.max(0, bytesTotal - bytesDone);
  return {
    partition,
    ...named(state, move),
    reason,
    phase: step?.kind === 'abandon' ? 'abandoning' : phase,
    waitsFor,
    startedAtMs: record?.startedAtMs ?? null,
    bytesDone,
    bytesTotal,
    bytesPerSecond: Math.round(bytesPerSecond),
    endsInMs: bytesPerSecond > 0 ? Math.round((left * MS_PER_SECOND) / bytesPerSecond) : null,
  };
}

function describeWanted(
  state: ClusterState,
  { move, waitsFor }: Decision<WantedMove>,
  reports: MoveReports,
): MoveOverview {
  return {
    partition: move.partition,
    ...named(state, move),
    reason: move.reason,
    phase: 'planned',
    waitsFor,
    startedAtMs: null,
    bytesDone: 0,
    bytesTotal: move.add === null ? 0 : Math.round(reports.bytesPerCopy),
    bytesPerSecond: 0,
    endsInMs: null,
  };
}

function named(
  state: ClusterState,
  { add, remove }: { readonly add: ShardOrdinal | null; readonly remove: ShardOrdinal | null },
): Pick<MoveOverview, 'add' | 'remove'> {
  return {
    add: add === null ? null : nameOf(state, add),
    remove: remove === null ? null : nameOf(state, remove),
  };
}

function describeShards({ state, look }: Seen): ShardOverview[] {
  const counts = count(state, look);
  return [...state.places.values()]
    .sort((a, b) => a.ordinal - b.ordinal)
    .map((place): ShardOverview => {
      const { shardId: shard, ordinal, zone, weight, state: now, sinceMs } = place;
      const { named, ...figures } = counts.get(ordinal) ?? NOTHING;
      return {
        ...{ shard, ordinal, state: now, sinceMs, verdict: verdictOf(state, place), zone, weight },
        ...figures,
        notRemovable: whyNotRemovable(state, place, named),
      };
    });
}

/** An ordinal whose name has another one by now never comes back. */
function verdictOf(state: ClusterState, { shardId, ordinal }: Place): ShardOverview['verdict'] {
  if (state.registrations.get(shardId)?.ordinal !== ordinal) return 'down';
  return state.verdicts.get(shardId)?.verdict ?? 'alive';
}

interface Counts {
  replicas: number;
  leaders: number;
  arriving: number;
  departing: number;
  /** Entries that name it, in whichever role. */
  named: number;
}
const NOTHING: Readonly<Counts> = { replicas: 0, leaders: 0, arriving: 0, departing: 0, named: 0 };

function count(state: ClusterState, { plan }: Seen['look']): ReadonlyMap<ShardOrdinal, Counts> {
  const counts = new Map<ShardOrdinal, Counts>();
  const add = (name: keyof Counts, ordinals: readonly (ShardOrdinal | null)[]): void => {
    for (const ordinal of ordinals) {
      if (ordinal === null) continue;
      const of = counts.get(ordinal) ?? { ...NOTHING };
      of[name] += 1;
      counts.set(ordinal, of);
    }
  };
  for (const entry of state.map) {
    add('replicas', entry.replicas);
    add('leaders', [entry.preferredLeader]);
    add('named', membersOf(entry));
  }
  for (const move of plan.underWay) {
    add('arriving', [move.add]);
    add('departing', [move.remove]);
  }
  for (const { entry } of plan.wanted) {
    const target = plan.target?.[entry.partition]?.replicas ?? entry.replicas;
    add(
      'arriving',
      target.filter((ordinal) => !entry.replicas.includes(ordinal)),
    );
    add(
      'departing',
      entry.replicas.filter((ordinal) => !target.includes(ordinal)),
    );
  }
  return counts;
}
