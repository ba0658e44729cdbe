/** The loop, or what is around it, with one rule broken. The check that is named must find a violation, or it is worth nothing. */
import type { Changes, ClusterState, MapEntry, PartitionReport } from '@ringleader/placement';
import { isUnderWay } from '@ringleader/placement';
import type { ElasticCheckId } from './checks.js';
import { RANDOM, type ElasticProfile } from './profile.js';
import { DOUBTED, GIVEN_UP, RESTLESS, RESTORED, WEIGHED } from './profiles.js';
import type { BrokenShape } from './settings.js';

export interface ElasticControl {
  /** As in docs/PROTOCOL.md. */
  readonly name: string;
  readonly about: string;
  readonly broken: BrokenShape;
  /** Where to look for it. */
  readonly profile: ElasticProfile;
  /** In a run of this control no other check counts. */
  readonly caughtBy: ElasticCheckId;
}

export const ELASTIC_CONTROLS: readonly ElasticControl[] = [
  {
    name: 'BackupRestored',
    about: 'a shard whose database was restored from an older copy goes on under its ordinal',
    broken: { trustsDatabase: true },
    profile: RESTORED,
    caughtBy: 'linearizability',
  },
  {
    name: 'MovesTwoAtOnce',
    about: 'two members of a group are exchanged in one step',
    broken: { plannerRules: { nextReplicas: (replicas, _exchange, target) => target ?? replicas } },
    profile: RANDOM,
    caughtBy: 'one member at a time',
  },
  {
    name: 'ForgetsZone',
    about: 'the spread is planned as if all shards were in one zone',
    broken: { plannerRules: { zoneOf: () => '' } },
    profile: RANDOM,
    caughtBy: 'zones',
  },
  {
    name: 'SettlesOnSuspect',
    about: 'a partition is settled on a newcomer that is suspect or down',
    broken: { plannerRules: { maySettleOnto: () => true } },
    profile: DOUBTED,
    caughtBy: 'onto a suspect',
  },
  {
    name: 'DropsRecord',
    about: 'a move begins without its record',
    broken: { written: (changes) => ({ ...changes, moves: [] }) },
    profile: RANDOM,
    caughtBy: 'move records',
  },
  {
    name: 'OldReportSettles',
    about: 'that a leader was ready at an earlier epoch counts for the present one',
    broken: { remembersReady: true },
    profile: RESTLESS,
    caughtBy: 'settled on proof',
  },
  {
    name: 'MovesWhilePaused',
    about: 'moves begin and go on while placement is paused',
    broken: { plannerRules: { goesOn: () => true } },
    profile: RESTLESS,
    caughtBy: 'paused',
  },
  {
    name: 'LearnerCounts',
    about: 'a learner counts as a replica in place of whom it replaces',
    broken: { seen: (state) => ({ ...state, map: state.map.map((entry) => asLearnt(state, entry)) }) },
    profile: RANDOM,
    caughtBy: 'plans end',
  },
  {
    name: 'RemovesHolder',
    about: 'a shard is removed that the map still names',
    broken: { commandsSee: (state) => ({ ...state, map: [] }) },
    profile: RANDOM,
    caughtBy: 'removed empty',
  },
  {
    name: 'SkipsJoint',
    about: 'the map goes from a learner to the new set at once',
    broken: { written: withoutJoint },
    profile: RANDOM,
    caughtBy: 'two sets',
  },
  {
    name: 'GivesUpTheLastMajority',
    about: 'a shard is given up without which a partition has no majority any more',
    broken: { plannerRules: { survives: () => true } },
    profile: GIVEN_UP,
    caughtBy: 'majority kept',
  },
  {
    name: 'MovesMore',
    about: 'more moves begin than may be under way at once',
    broken: { seen: withRoomFor(64) },
    profile: RANDOM,
    caughtBy: 'moves at once',
  },
  {
    name: 'PlansTooFew',
    about: 'the plan has one replica less than is wanted',
    broken: { seen: (state) => ({ ...state, replicationFactor: state.replicationFactor - 1 }) },
    profile: RANDOM,
    caughtBy: 'conservation',
  },
  {
    name: 'KeepsRows',
    about: 'a shard that is no replica any more keeps the rows',
    broken: { keepsRows: true },
    profile: RESTLESS,
    caughtBy: 'conservation',
  },
  {
    name: 'ForgetsWeight',
    about: 'the plan goes by equal weights',
    broken: { seen: (state) => ({ ...state, places: withEqualWeights(state.places) }) },
    profile: WEIGHED,
    caughtBy: 'load',
  },
  {
    name: 'StepsUnconditional',
    about: 'a step is done though the entry of the map, or the plan, has changed since it was decided',
    broken: { unconditional: true },
    profile: RANDOM,
    caughtBy: 'entry epochs',
  },
  {
    name: 'JointUnlearnt',
    about: 'two sets though the newcomer has copied nothing yet',
    broken: { heard: withAllCaughtUp },
    profile: RANDOM,
    caughtBy: 'learnt first',
  },
];

function withAllCaughtUp(report: PartitionReport): PartitionReport {
  const learners = report.learners.map((learner) => ({ ...learner, caughtUp: true }));
  return { ...report, learners };
}

function withEqualWeights(places: ClusterState['places']): ClusterState['places'] {
  return new Map([...places].map(([ordinal, place]) => [ordinal, { ...place, weight: 1 }]));
}

function asLearnt({ moves }: ClusterState, entry: MapEntry): MapEntry {
  const { add = null, remove = null } = moves.get(entry.partition) ?? {};
  if (entry.learners.length === 0 || add === null) return entry;
  const replicas = entry.replicas.map((ordinal) => (ordinal === remove ? add : ordinal));
  return { ...entry, replicas, learners: [] };
}

function withoutJoint(changes: Changes): Changes {
  const entries = changes.entries.map((entry) => {
    return { ...entry, replicas: entry.nextReplicas ?? entry.replicas, nextReplicas: null };
  });
  const isOver = !entries.some(isUnderWay);
  const ended = changes.moves.map(({ partition }) => partition);
  return {
    ...changes,
    entries,
    ...(isOver ? { moves: [], movesEnded: [...changes.movesEnded, ...ended] } : {}),
  };
}

function withRoomFor(movesMax: number): (state: ClusterState) => ClusterState {
  return (state) => {
    const { control } = state;
    if (control === null) return state;
    return { ...state, control: { ...control, limits: { ...control.limits, movesMax } } };
  };
}
