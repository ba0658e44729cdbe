import type { Ballot, Epoch, Revision, ShardOrdinal } from '@ringleader/primitives';
import { comparePositions } from '../ballot.js';
import type { PartitionAssignment } from '../ready.js';
import type { Position } from '../records.js';
import { hasElectionQuorum, isVoter, type Has } from './quorum.js';

/** docs/PROTOCOL.md 4.0 and 4.1. Each names the negative controls (docs/PROTOCOL.md, "controls") that break it. */
export interface ElectionRules {
  /** 4.0, 4.1.4, 6.2, 6.8. Controls: QuorumOne, ElectNewOnly, LearnerVotes, RecoveredByMajority. */
  electionQuorum(assignment: PartitionAssignment, has: Has): boolean;
  /** 4.0, 4.1.2: who promises, stands and is counted. Control: LearnerVotes. */
  votes(assignment: PartitionAssignment, ordinal: ShardOrdinal): boolean;
  /** 4.0, in both directions. Control: EpochUnchecked. */
  sameEpoch(own: Epoch, told: Epoch): boolean;
  /** 4.1.1: the own promise counts, and Prepare leaves, only when it is durable. Control: BallotReuse. */
  ownPromiseStands(isDurable: boolean): boolean;
  /** 4.0, "one transaction": what is told with a promise is the state in which it was written. Control: PromiseNotAtomic. */
  positionToldWithPromise(whenPromised: Position, whenReceived: Position): Position;
  /** 4.1.2, 4.1.5: a candidate is one only while its ballot is its own promise. Control: SelfUnchecked. */
  candidacyStands(ballot: Ballot, promised: Ballot): boolean;
  /** 4.1.4: greater than 0 when `a` is the more advanced. Control: RevisionOnly. */
  compareAdoptable(a: Position, b: Position): number;
  /** 4.1.5: what a new leader may take as committed. Control: AdoptedIsCommitted. */
  commitAtTakeOver(heard: Revision, adopted: Revision): Revision;
  /** 4.1.6: the revision which a promise acknowledges at the new ballot; -1 is none. Control: NoBarrier. */
  acknowledgedByPromise(told: Position, adopted: Position): Revision;
  /** 6.8: where the revisions of a partition begin that went on without a majority. Control: RecoveryRepeatsRevisions. */
  revisionAfter(recoveries: number): Revision;
  /** 6.8: does a replica keep what it has when it hears of a recovery since? Control: KeepsOtherHistory. */
  keepsThrough(recovery: NonNullable<PartitionAssignment['recovery']>, own: ShardOrdinal): boolean;
  /** 4.1.8, 6.5: does a leadership outlive a new epoch? Control: LeaderKeepsBallot. */
  keepsBallotInNewEpoch(): boolean;
  /** 6.6: what a removed replica keeps. Control: ForgetRecord. */
  recordOfRemoved(own: { promised: Ballot; epoch: Epoch }): { promised: Ballot; epoch: Epoch };
}

/** More than a partition can write between two recoveries: a million a second for twelve days, ten thousand for three years. */
const REVISIONS_OF_HISTORY = 2 ** 40;

export const ELECTION_RULES: ElectionRules = {
  electionQuorum: hasElectionQuorum,
  votes: isVoter,
  sameEpoch: (own, told) => own === told,
  ownPromiseStands: (isDurable) => isDurable,
  positionToldWithPromise: (whenPromised) => whenPromised,
  candidacyStands: (ballot, promised) => ballot === promised,
  compareAdoptable: comparePositions,
  commitAtTakeOver: (heard) => heard,
  acknowledgedByPromise: () => -1,
  revisionAfter: (recoveries) => recoveries * REVISIONS_OF_HISTORY,
  keepsThrough: ({ kept }, own) => kept.includes(own),
  keepsBallotInNewEpoch: () => false,
  recordOfRemoved: (own) => own,
};
