import type { Ballot, Incarnation, Revision, ShardOrdinal } from '@ringleader/primitives';
import { samePosition } from '../ballot.js';
import type { PartitionAssignment } from '../ready.js';
import type { Position } from '../records.js';
import { quorumRevision } from './quorum.js';

/** docs/PROTOCOL.md 4.2. */
export interface AcceptRules {
  /** 4.2.2, also for repairs and pages. Control: PromiseNotChecked. */
  mayAccept(ballot: Ballot, promised: Ballot): boolean;
  /** 4.2.2. Control: NoPositionCheck. */
  batchFits(previous: Position, own: Position): boolean;
  /** 4.2.4, 6.2. Controls: QuorumOne, CommitOldOnly, CommitNewOnly, LearnerVotes. */
  committedRevision(
    assignment: PartitionAssignment,
    acknowledged: (ordinal: ShardOrdinal) => Revision,
  ): Revision;
  /** 4.2.3, 4.2.4: nothing is committed past the leader's own durable rows. Control: AckBeforeOwnApply. */
  ownLimit(ownDurable: Revision, sent: Revision): Revision;
  /** 4.2.2: an acknowledgement states what became durable, not what was gathered. Control: AcknowledgesUndone. */
  mayAcknowledge(durable: Position, ballot: Ballot, revision: Revision): boolean;
  /** 4.2.7: does the answer to a message of many batches acknowledge one that is not durable? Control: AnswerCoversAll. */
  answerCovers(isDurable: boolean): boolean;
  /** 4.12.2: what leapt too far goes on being said. Controls: LeapBelievedAtOnce, LeapNeverBelieved. */
  believesLeap(saidForMs: number, times: number): boolean;
  /** 4.12.6: do followers say unasked what they have? Control: StatesNothing. */
  statesUnasked(): boolean;
  /** 4.12.6: a replica says for so long that it has less than it acknowledged. Control: DeafToDenial. */
  believesDenial(deniedForMs: number, leaseMs: number): boolean;
  /** 4.2.7: whose life an answer is for. Control: AnswerOfOtherLife. */
  answersLife(holder: Incarnation, own: Incarnation): boolean;
  /** 4.2.5. Control: CommitAnyBallot. */
  takesCommit(positionBallot: Ballot, messageBallot: Ballot): boolean;
}

/** For so long, and so often. */
export const LEAP_PERSISTS_MS = 3_000;
const LEAP_TIMES = 3;

export const ACCEPT_RULES: AcceptRules = {
  mayAccept: (ballot, promised) => ballot >= promised,
  batchFits: samePosition,
  committedRevision: quorumRevision,
  ownLimit: (ownDurable) => ownDurable,
  mayAcknowledge: (durable, ballot, revision) => durable.ballot === ballot && durable.revision >= revision,
  answerCovers: (isDurable) => isDurable,
  believesLeap: (saidForMs, times) => saidForMs >= LEAP_PERSISTS_MS && times >= LEAP_TIMES,
  statesUnasked: () => true,
  believesDenial: (deniedForMs, leaseMs) => deniedForMs >= 2 * leaseMs,
  answersLife: (holder, own) => holder === own,
  takesCommit: (positionBallot, messageBallot) => positionBallot === messageBallot,
};
