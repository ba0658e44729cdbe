/** Raft with one rule broken. The checks must find a violation, or they are worth nothing. */
import type { RaftRules } from '@ringleader/raft';
import type { DataRules } from './data/data-rules.js';
import { twoCandidates } from './profiles/two-candidates.js';
import { figure8 } from './profiles/figure-8.js';
import { isolatedLeader } from './profiles/isolated-leader.js';
import type { DiskRules } from './disk-rules.js';
import { type IdentityRules, seatOf } from './identities.js';
import { longLog } from './profiles/long-log.js';
import { lostDisk } from './profiles/lost-disk.js';
import { unevenSnapshots } from './profiles/uneven-snapshots.js';
import { type Profile, randomProfile } from './profile.js';

export interface Control {
  readonly name: string;
  readonly broken: string;
  readonly rules: Partial<RaftRules>;
  readonly identities?: Partial<IdentityRules>;
  readonly dataRules?: Partial<DataRules>;
  readonly disks?: Partial<DiskRules>;
  /** The check that must find it: another one's failure does not count. */
  readonly caughtBy: string;
  /** Where to look for it. */
  readonly profile: Profile;
}

export const controls: readonly Control[] = [
  {
    name: 'ForgottenVote',
    broken: 'the vote is not written: after a restart a member votes again in the same term',
    rules: { toWrite: ({ term, commit }) => ({ term, vote: 0, commit }) },
    caughtBy: 'election safety',
    profile: twoCandidates,
  },
  {
    name: 'ForgottenTerm',
    broken: 'nothing of the hard state is written',
    rules: { toWrite: () => ({ term: 0, vote: 0, commit: 0 }) },
    caughtBy: 'election safety',
    profile: twoCandidates,
  },
  {
    name: 'VoteTwice',
    broken: 'a member votes for whoever asks, also a second time in a term',
    rules: { isVoteFree: () => true },
    caughtBy: 'election safety',
    profile: twoCandidates,
  },
  {
    name: 'VoteWithoutLogCheck',
    broken: 'a vote does not ask whether the candidate has what is committed',
    rules: { isUpToDate: () => true },
    caughtBy: 'acknowledged write lost',
    profile: longLog,
  },
  {
    name: 'LongerLogWins',
    broken: 'the election restriction compares lengths of logs, not the terms of their last entries first',
    rules: { isUpToDate: (candidate, voter) => candidate.index >= voter.index },
    caughtBy: 'acknowledged write lost',
    profile: longLog,
  },
  {
    name: 'QuorumOfOne',
    broken: 'one member is a majority',
    rules: { quorum: () => 1 },
    caughtBy: 'durability',
    profile: randomProfile,
  },
  {
    name: 'HalfIsQuorum',
    broken: 'of five, two are a majority',
    rules: { quorum: (members) => Math.floor(members / 2) },
    caughtBy: 'durability',
    profile: randomProfile,
  },
  {
    name: 'CommitOldTermByCounting',
    broken: 'an entry of an earlier term is committed because a majority has it (figure 3.7)',
    rules: { maySettleByCounting: () => true },
    caughtBy: 'leader completeness',
    profile: figure8,
  },
  {
    name: 'HeartbeatCommitsUnmatched',
    broken: "a heartbeat lets a follower commit up to the leader's commit index, whatever it has there",
    rules: { heartbeatCommit: (_match, leaderCommit) => leaderCommit },
    caughtBy: 'state machine safety',
    profile: longLog,
  },
  {
    name: 'AppendWithoutPrevCheck',
    broken: 'a follower appends without looking at the entry before',
    rules: { fitsAfter: () => true },
    caughtBy: 'log matching',
    profile: longLog,
  },
  {
    name: 'KeepConflicting',
    broken: 'a follower keeps its own entries where the leader has others',
    rules: {
      firstToWrite: (offered, local) => {
        const missing = local.indexOf(null);
        return missing < 0 ? offered.length : missing;
      },
    },
    caughtBy: 'state machine safety',
    profile: longLog,
  },
  {
    name: 'TruncateAlways',
    broken: 'a late Append cuts off what was acknowledged since',
    rules: { firstToWrite: () => 0 },
    caughtBy: 'durability',
    profile: randomProfile,
  },
  {
    name: 'AckBeforePersist',
    broken: 'votes and acknowledgements leave before what they promise is on disk',
    rules: { mayLeave: () => true },
    caughtBy: 'durability',
    profile: randomProfile,
  },
  {
    name: 'ReadWithoutQuorum',
    broken: 'a leader answers reads without asking whether it still leads',
    rules: { isReadConfirmed: () => true },
    caughtBy: 'linearizable reads',
    profile: isolatedLeader,
  },
  {
    name: 'ReadIndexBeforeOwnTermCommit',
    broken: 'a new leader answers reads by a commit index that may be behind',
    rules: { knowsCommitIndex: () => true },
    caughtBy: 'linearizable reads',
    profile: randomProfile,
  },
  {
    name: 'SnapshotForgetsTerm',
    broken: 'the term of the last entry in a snapshot is forgotten',
    rules: { compactedTo: ({ index }) => ({ index, term: 0 }) },
    caughtBy: 'log matching',
    profile: unevenSnapshots,
  },
  {
    name: 'EmptyDiskVotes',
    broken:
      'members go by the seat that a message comes from: one with an empty disk is counted as the one before it',
    rules: {},
    identities: { toWire: seatOf, fromWire: (_to, self) => self },
    caughtBy: 'acknowledged write lost',
    profile: lostDisk,
  },
  {
    name: 'ReusedMemberId',
    broken: 'a member that has lost its disk takes its id again',
    rules: {},
    identities: { idOf: (seat) => seat },
    caughtBy: 'acknowledged write lost',
    profile: lostDisk,
  },
];
