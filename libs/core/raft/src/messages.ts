/**
 * What members tell each other. Every message carries its sender's term; the network may lose, repeat, delay and
 * reorder them. Names follow Ongaro's thesis: Vote is RequestVote, Append is AppendEntries, TimeoutNow is of 3.10.
 */
import type {
  Chunk,
  Configuration,
  MemberId,
  Entry,
  LogIndex,
  Proposal,
  ReadContext,
  SnapshotPoint,
  Term,
} from './types.js';

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  /** The sender's term; in PreVote, and in a PreVoteReply that grants, the term the candidate would go to. */
  readonly term: Term;
}

interface Candidacy extends Envelope {
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
}

export interface PreVote extends Candidacy {
  readonly kind: 'preVote';
}

export interface Vote extends Candidacy {
  readonly kind: 'vote';
  /** The old leader asked for this election, so that hearing from it is no reason to refuse. */
  readonly transfer: boolean;
}

export interface PreVoteReply extends Envelope {
  readonly kind: 'preVoteReply';
  readonly granted: boolean;
}

export interface VoteReply extends Envelope {
  readonly kind: 'voteReply';
  readonly granted: boolean;
}

export interface Append extends Envelope {
  readonly kind: 'append';
  readonly prevIndex: LogIndex;
  readonly prevTerm: Term;
  readonly entries: readonly Entry[];
  readonly commit: LogIndex;
}

export interface AppendReply extends Envelope {
  readonly kind: 'appendReply';
  /** Everything up to here is durable at the sender and equal to the leader's log. */
  readonly matchIndex: LogIndex;
}

export interface AppendRefusal extends Envelope {
  readonly kind: 'appendRefusal';
  /** `prevIndex` of the Append that did not fit. */
  readonly refusedIndex: LogIndex;
  /** The newest of the follower's entries that may still match, as far as it can tell: everything between is skipped. */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
}

export interface Heartbeat extends Envelope {
  readonly kind: 'heartbeat';
  /** Never above what the leader knows to match at the receiver. */
  readonly commit: LogIndex;
  /** The newest round of ReadIndex: an answer confirms it and all before. */
  readonly readRound: number;
}

export interface HeartbeatReply extends Envelope {
  readonly kind: 'heartbeatReply';
  readonly readRound: number;
  /** It takes in nothing that needs room, and acknowledges nothing of it. */
  readonly isDiskFull: boolean;
}

export interface SnapshotChunk extends Envelope {
  readonly kind: 'snapshotChunk';
  readonly point: SnapshotPoint;
  readonly chunkIndex: number;
  readonly chunkCount: number;
  /** With the first chunk; else null. */
  readonly configuration: Configuration | null;
  readonly data: Chunk;
}

export interface SnapshotReply extends Envelope {
  readonly kind: 'snapshotReply';
  readonly point: SnapshotPoint;
  /** The chunk which this answers. */
  readonly chunkIndex: number;
  /** The first chunk which the receiver does not have. */
  readonly nextChunk: number;
}

export interface Propose extends Envelope {
  readonly kind: 'propose';
  /** Names a series of one run of the proposer's process: ids rise within it. */
  readonly session: number;
  readonly proposals: readonly Proposal[];
}

/** Certainly not in the log, now or later. */
export interface ProposeRefusal extends Envelope {
  readonly kind: 'proposeRefusal';
  readonly session: number;
  readonly ids: readonly number[];
}

export interface ReadRequest extends Envelope {
  readonly kind: 'readRequest';
  /** Of the asker: an answer that comes after its restart must not be taken for one to a question asked since. */
  readonly session: number;
  readonly context: ReadContext;
}

export interface ReadReply extends Envelope {
  readonly kind: 'readReply';
  readonly session: number;
  readonly context: ReadContext;
  readonly index: LogIndex;
}

export interface TimeoutNow extends Envelope {
  readonly kind: 'timeoutNow';
}

/** To whom is removed by a committed configuration at `index`, in answer to anything it says. Holds whatever the terms are. */
export interface Removed extends Envelope {
  readonly kind: 'removed';
  readonly index: LogIndex;
}

export type Message =
  | PreVote
  | PreVoteReply
  | Vote
  | VoteReply
  | Append
  | AppendReply
  | AppendRefusal
  | Heartbeat
  | HeartbeatReply
  | SnapshotChunk
  | SnapshotReply
  | Propose
  | ProposeRefusal
  | ReadRequest
  | ReadReply
  | TimeoutNow
  | Removed;

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/** A message before the outbox puts sender and, where it is not given, the present term on it. */
export type MessageBody = DistributiveOmit<Message, 'from' | 'to' | 'term'>;

/** Only a term's one leader sends these, so their sender is the leader of their term. */
export function isFromLeader(message: Message): boolean {
  return message.kind === 'append' || message.kind === 'heartbeat' || message.kind === 'snapshotChunk';
}
