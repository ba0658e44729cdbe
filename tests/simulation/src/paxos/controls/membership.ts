import type { PartitionAssignment } from '@ringleader/paxos';
import type { Revision, ShardOrdinal } from '@ringleader/primitives';
import type { Control } from './control.js';
import { REMOVED } from '../profiles/removed.js';
import { UNDONE } from '../profiles/undone.js';
import { LEAVING_LEADER, MEMBERSHIP, STALE_EPOCH } from '../profiles/membership.js';

type Has = (ordinal: ShardOrdinal) => boolean;

function majority(set: readonly ShardOrdinal[], has: Has): boolean {
  return set.filter(has).length * 2 > set.length;
}

function majorityRevision(set: readonly ShardOrdinal[], at: (ordinal: ShardOrdinal) => Revision): Revision {
  const revisions = set.map(at).sort((a, b) => b - a);
  return revisions[Math.floor(set.length / 2)] ?? -1;
}

function newestSet({ replicas, nextReplicas }: PartitionAssignment): readonly ShardOrdinal[] {
  return nextReplicas ?? replicas;
}

/** docs/PROTOCOL.md 4.0 and 6: epochs, joint sets, learners, removed replicas. */
export const MEMBERSHIP_CONTROLS: readonly Control[] = [
  {
    name: 'EpochUnchecked',
    broken: 'acceptors do not compare epochs',
    rules: { sameEpoch: () => true },
    profile: STALE_EPOCH,
    caughtBy: 'linearizability',
  },
  {
    name: 'CommitOldOnly',
    broken: 'in the joint epoch commit by the old majority only',
    rules: { committedRevision: ({ replicas }, acknowledged) => majorityRevision(replicas, acknowledged) },
    profile: MEMBERSHIP,
    caughtBy: 'linearizability',
  },
  {
    name: 'CommitNewOnly',
    broken: 'in the joint epoch commit by the new majority only',
    rules: {
      committedRevision: (assignment, acknowledged) => majorityRevision(newestSet(assignment), acknowledged),
    },
    profile: MEMBERSHIP,
    caughtBy: 'linearizability',
  },
  {
    name: 'ElectNewOnly',
    broken: 'in the joint epoch elect by the new majority only',
    rules: { electionQuorum: (assignment, has) => majority(newestSet(assignment), has) },
    profile: MEMBERSHIP,
    caughtBy: 'linearizability',
  },
  {
    name: 'LeaseOldOnly',
    broken: 'lease from a majority of the old set only',
    rules: { leaseQuorum: ({ replicas }, has) => majority(replicas, has) },
    profile: LEAVING_LEADER,
    caughtBy: 'linearizability',
  },
  {
    name: 'LearnerVotes',
    broken: 'a learner promises and is counted',
    rules: {
      votes: ({ replicas, nextReplicas, learners }, ordinal) =>
        [...replicas, ...(nextReplicas ?? []), ...learners].includes(ordinal),
      electionQuorum: ({ replicas, nextReplicas, learners }, has) =>
        [...replicas, ...learners].filter(has).length * 2 > replicas.length &&
        (nextReplicas === null || majority(nextReplicas, has)),
      committedRevision: ({ replicas, nextReplicas, learners }, acknowledged) => {
        const revisions = [...replicas, ...learners].map(acknowledged).sort((a, b) => b - a);
        const old = revisions[Math.floor(replicas.length / 2)] ?? -1;
        return nextReplicas === null ? old : Math.min(old, majorityRevision(nextReplicas, acknowledged));
      },
    },
    profile: MEMBERSHIP,
    caughtBy: 'linearizability',
  },
  {
    name: 'LeaderKeepsBallot',
    broken: 'a leader takes a new epoch over without a new ballot and keeps its acks',
    rules: { keepsBallotInNewEpoch: () => true },
    profile: MEMBERSHIP,
    caughtBy: 'linearizability',
  },
  {
    name: 'ForgetRecord',
    broken: 'a removed replica forgets its promise and epoch',
    rules: { recordOfRemoved: () => ({ promised: 0, epoch: 0 }) },
    profile: REMOVED,
    caughtBy: 'linearizability',
  },
  {
    name: 'SettleOnData',
    broken: 'settle without a barrier committed at the joint epoch',
    rules: { readyToSettle: () => true },
    profile: MEMBERSHIP,
    caughtBy: 'linearizability',
  },
  {
    name: 'SettleUnasked',
    broken: 'a joint epoch is settled though no leader has reported that it is ready',
    rules: {},
    settlesUnproven: true,
    profile: MEMBERSHIP,
    caughtBy: 'linearizability',
  },
  {
    name: 'CaughtUpUnseen',
    broken: 'a learner is reported as caught up whatever it has',
    rules: { learnerCaughtUp: () => true },
    profile: MEMBERSHIP,
    caughtBy: 'move reports',
  },
  {
    name: 'NoJoint',
    broken: 'the map goes straight from the old set to the new one',
    rules: {},
    skipsJoint: true,
    profile: MEMBERSHIP,
    caughtBy: 'linearizability',
  },
  {
    name: 'AcknowledgesUndone',
    broken: 'a batch is acknowledged that the same transaction has removed again',
    rules: { mayAcknowledge: () => true },
    profile: UNDONE,
    caughtBy: 'acknowledged',
  },
];
