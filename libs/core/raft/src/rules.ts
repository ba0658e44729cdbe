/**
 * The rules on which Raft's safety rests, each as one small pure function, and nothing else in this core decides these
 * questions. They are injected so that the simulator can break each of them and show that its checks notice
 * (tests/simulation). Production uses `soundRules`.
 */
import { isJoint, idsOf, type PlacedConfiguration } from './membership/configuration.js';
import type { VoterSets } from './quorum/joint.js';
import { majorityOf, type QuorumSize, type VoteResult } from './quorum/majority.js';
import type { Configuration, MemberId, HardState, LogIndex, SnapshotPoint, Term } from './types.js';

/** The rules by which a group replicates (3, 6.4), whoever is in it. */
export interface ReplicationRules {
  /** How many of a set of voters must agree (3.4, 3.5). */
  readonly quorum: QuorumSize;
  /** Which sets must agree, each by a quorum of its own (4.3): while the configuration is joint, both. */
  setsToAgree(configuration: Configuration): VoterSets;
  /** One vote per term (3.4): whether a member that voted for `vote` in this term may vote for `candidate`. */
  isVoteFree(vote: MemberId, candidate: MemberId): boolean;
  /** The election restriction (3.6.1): whether the candidate's log is at least as complete as the voter's. */
  isUpToDate(candidateLast: SnapshotPoint, voterLast: SnapshotPoint): boolean;
  /** Log matching (3.5): whether a follower whose entry at prevIndex has `localTerm` (null: no such entry) may append. */
  fitsAfter(localTerm: Term | null, prevTerm: Term): boolean;
  /**
   * Which of the offered entries must be written: the first that the follower lacks, or that differs from its own;
   * `offeredTerms.length` for none. An Append that came late must not cut off what was acknowledged since.
   */
  firstToWrite(offeredTerms: readonly Term[], localTerms: readonly (Term | null)[]): number;
  /** How far a heartbeat lets a follower commit (3.5): only up to what is known to match, whatever else it has. */
  heartbeatCommit(match: LogIndex, leaderCommit: LogIndex): LogIndex;
  /** The commit rule (3.6.2): by counting, a leader commits only entries of its own term. */
  maySettleByCounting(entryTerm: Term, currentTerm: Term): boolean;
  /** ReadIndex, step 1 (6.4): a leader knows the commit index only when an entry of its own term is committed. */
  knowsCommitIndex(commitTerm: Term, currentTerm: Term): boolean;
  /** ReadIndex, step 2 (6.4): whether those who have confirmed the leadership since suffice, being counted as votes for it. */
  isReadConfirmed(confirmations: VoteResult): boolean;
  /** Whether a message that depends on batch `dependsOn` may leave when the batches up to `durable` are on disk (3.8). */
  mayLeave(dependsOn: number, durable: number): boolean;
  /** What is written of the hard state (figure 3.1). */
  toWrite(hardState: HardState): HardState;
  /** What remains of the log before a snapshot: the index and the term of its last entry (5.1). */
  compactedTo(point: SnapshotPoint): SnapshotPoint;
}

/** The rules by which a group changes (4). */
export interface MembershipRules {
  /** A configuration is in force from where it is appended (4.1): whoever waits for the commit is behind those who decide it. */
  inForce(newest: PlacedConfiguration, committed: PlacedConfiguration): PlacedConfiguration;
  /** A configuration goes away with its entry (4.1): whether what stands at `index` goes when the log is cut before `firstIndex`. */
  isUndone(index: LogIndex, firstIndex: LogIndex): boolean;
  /** A joint configuration is left when it is committed, not before (4.3). */
  mayLeaveJoint(jointIndex: LogIndex, commit: LogIndex): boolean;
  /** Only who has caught up becomes a voter (4.2.1). */
  mayBePromoted(isCaughtUp: boolean): boolean;
  /** Ids are never used again. */
  mayJoin(configuration: Configuration, id: MemberId): boolean;
  /** Who is removed by a committed configuration is heard no more (4.2.3). */
  isBarred(committed: Configuration, id: MemberId): boolean;
}

function isUpToDate(candidate: SnapshotPoint, voter: SnapshotPoint): boolean {
  if (candidate.term !== voter.term) return candidate.term > voter.term;
  return candidate.index >= voter.index;
}

function firstToWrite(offered: readonly Term[], local: readonly (Term | null)[]): number {
  const position = offered.findIndex((term, i) => local[i] !== term);
  return position < 0 ? offered.length : position;
}

function setsToAgree(configuration: Configuration): VoterSets {
  const { voters, outgoing } = configuration;
  return isJoint(configuration) ? [idsOf(voters), idsOf(outgoing)] : [idsOf(voters)];
}

/** The rule by which reads go without asking, where a member is set so (6.4.1). */
export interface LeaseRules {
  /** Whether a lease which began so long ago, by the leader's clock, is still one. */
  isLeaseRunning(elapsedMs: number, lengthMs: number): boolean;
}

export type RaftRules = ReplicationRules & MembershipRules & LeaseRules;

export const membershipRules: MembershipRules = {
  inForce: (newest) => newest,
  isUndone: (index, firstIndex) => index >= firstIndex,
  mayLeaveJoint: (jointIndex, commit) => commit >= jointIndex,
  mayBePromoted: (isCaughtUp) => isCaughtUp,
  mayJoin: ({ removed }, id) => !removed.includes(id),
  isBarred: ({ removed }, id) => removed.includes(id),
};

export const replicationRules: ReplicationRules = {
  quorum: majorityOf,
  setsToAgree,
  isVoteFree: (vote, candidate) => vote === 0 || vote === candidate,
  isUpToDate,
  fitsAfter: (localTerm, prevTerm) => localTerm === prevTerm,
  firstToWrite,
  heartbeatCommit: (match, leaderCommit) => Math.min(match, leaderCommit),
  maySettleByCounting: (entryTerm, currentTerm) => entryTerm === currentTerm,
  knowsCommitIndex: (commitTerm, currentTerm) => commitTerm === currentTerm,
  isReadConfirmed: (confirmations) => confirmations === 'won',
  mayLeave: (dependsOn, durable) => dependsOn <= durable,
  toWrite: (hardState) => hardState,
  compactedTo: (point) => point,
};

export const leaseRules: LeaseRules = {
  isLeaseRunning: (elapsedMs, lengthMs) => elapsedMs < lengthMs,
};

export const soundRules: RaftRules = { ...replicationRules, ...membershipRules, ...leaseRules };
