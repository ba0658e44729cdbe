/** The state which the modules of this core share: one member of the group, in one of the four roles. */
import type { RaftConfig } from './config.js';
import type { RaftLog } from './log/raft-log.js';
import type { Message, MessageBody } from './messages.js';
import type { Dependency, Outbox } from './outbox.js';
import type { LeaderReads } from './read-index/reads.js';
import { allMembers, idsOf, type PlacedConfiguration } from './membership/configuration.js';
import { jointVote } from './quorum/joint.js';
import type { VoteResult, Votes } from './quorum/majority.js';
import type { Progress } from './tracker/progress.js';
import type { Tracker } from './tracker/tracker.js';
import type {
  Configuration,
  IncomingSnapshot,
  MemberId,
  LogIndex,
  ProposalId,
  Snapshot,
  Term,
} from './types.js';

export interface Follower {
  readonly kind: 'follower';
}

export interface Candidate {
  readonly kind: 'preCandidate' | 'candidate';
  readonly votes: Map<MemberId, boolean>;
}

export interface Leader {
  readonly kind: 'leader';
  readonly tracker: Tracker;
  readonly reads: LeaderReads;
  /** The entry which opened this term. */
  readonly termStartIndex: LogIndex;
  /** The newest proposal seen in this term of each series of each member: a repeated message proposes nothing twice. */
  readonly forwardedIds: Map<string, ProposalId>;
  uncommittedBytes: number;
  /** It has asked for an election itself, so that nobody's patience is to be relied on. */
  isLeaseVoid: boolean;
  ticksSinceHeartbeat: number;
  /** How far its own disk was at the last tick, and for how many it has stood there behind what is committed. */
  readonly ownDisk: { written: LogIndex; ticksStill: number };
  transfer: { readonly target: MemberId; ticks: number } | null;
  /** Held while some follower is being sent it. */
  outgoingSnapshot: Snapshot | null;
}

export type Role = Follower | Candidate | Leader;

export interface MemberState {
  readonly config: RaftConfig;
  readonly log: RaftLog;
  readonly outbox: Outbox;
  /** Names this run of the process in questions. */
  readonly session: number;
  /** Names a series of forwarded proposals, within which a number is taken once and only upwards. */
  proposalSession: number;
  term: Term;
  vote: MemberId;
  /** Of this term; 0 while unknown. */
  leader: MemberId;
  role: Role;
  /** Since the leader was last heard from; in a leader, since it last checked its quorum. */
  elapsedTicks: number;
  electionTimeoutTicks: number;
  /** Since any leader was heard from, of whatever term, or since this member started. */
  ticksSinceLeader: number;
  /** Of this turn, where reads go by a lease. */
  nowMs: number | null;
  /** The newest configuration that was told of, and the newest that was known to be committed. */
  notedConfiguration: PlacedConfiguration;
  committedConfiguration: PlacedConfiguration | null;
  /** A committed configuration has it among the removed: it neither hears nor says anything any more. */
  isRemoved: boolean;
  /** Its disk has no room for entries: it takes none in, acknowledges none, and goes on to vote. */
  isDiskFull: boolean;
  /** What has come of it; of no use in another term. */
  incomingSnapshot: IncomingSnapshot | null;
  /** On disk, and not yet in the state machine. */
  snapshotToRestore: Snapshot | null;
}

/** The one in force. */
export function configurationOfLog({ log, config }: MemberState): Configuration {
  const { configurations } = log;
  return config.rules.inForce(configurations.newest, configurations.at(log.commit)).configuration;
}

/** All whom a leader sends its log. */
export function memberIds(state: MemberState): MemberId[] {
  return idsOf(allMembers(configurationOfLog(state)));
}

/** What the votes amount to under the configuration in force. */
export function resultOf(state: MemberState, votes: Votes): VoteResult {
  const { rules } = state.config;
  return jointVote(rules.setsToAgree(configurationOfLog(state)), votes, rules.quorum);
}

/** Sends with the sender's present term, unless the message is about another one. */
export function send(
  state: MemberState,
  addressee: { readonly to: MemberId; readonly term?: Term },
  body: MessageBody,
  dependency: Dependency,
): void {
  const message = {
    ...body,
    from: state.config.id,
    to: addressee.to,
    term: addressee.term ?? state.term,
  } as Message;
  state.outbox.send(message, dependency);
}

export function setTerm(state: MemberState, term: Term, vote: MemberId): void {
  if (state.term === term && state.vote === vote) return;
  if (term !== state.term) state.incomingSnapshot = null;
  state.term = term;
  state.vote = vote;
  state.outbox.hardStateChanged();
}

export function setLeader(state: MemberState, leader: MemberId): void {
  if (state.leader === leader) return;
  state.leader = leader;
  state.outbox.note({ kind: 'leaderChanged', term: state.term, leader });
}

/** What the leader knows of the member that just spoke; null where it is none of the group. */
export function heardProgress(leader: Leader, member: number): Progress | null {
  const progress = leader.tracker.of(member);
  if (progress !== null) {
    progress.ticksSinceHeard = 0;
    progress.hasAnswered = true;
  }
  return progress;
}
