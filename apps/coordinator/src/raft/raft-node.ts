import type { MemberId } from '@ringleader/primitives';
import type { LeadershipChange } from './state-machine.js';

/**
 * `unavailable`: certainly not, and never will be, in the log: safe to repeat.
 * `outcomeUnknown`: may be committed, or become so later.
 */
export type ProposalOutcome<Result> =
  | { readonly kind: 'applied'; readonly index: number; readonly result: Result }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'outcomeUnknown' };

export type ReadBarrierOutcome =
  | { readonly kind: 'ready'; /** the state machine has applied at least this */ readonly index: number }
  | { readonly kind: 'unavailable' };

export type RaftRole = 'follower' | 'preCandidate' | 'candidate' | 'leader';

export interface RaftStatus {
  readonly memberId: MemberId;
  readonly members: readonly MemberId[];
  readonly term: number;
  /** 0 when unknown. */
  readonly leader: MemberId;
  readonly role: RaftRole;
  /** See LeadershipChange.leading. */
  readonly leading: boolean;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly snapshotIndex: number;
}

/** One member of the coordinator's Raft group, as the rest of the coordinator sees it. */
export interface RaftNode<Result> {
  /**
   * Replicates a command, through the leader wherever that is, and answers with what `StateMachine.apply` returned here.
   * At most once: it is never proposed a second time.
   */
  propose(command: Uint8Array, timeoutMs: number): Promise<ProposalOutcome<Result>>;
  /** After `ready`, a read of the local state machine sees every write acknowledged before the call (thesis 6.4). */
  readBarrier(timeoutMs: number): Promise<ReadBarrierOutcome>;
  status(): RaftStatus;
  /** Calls back at once with the present state, then at every change. Returns the way to unsubscribe. */
  onLeadership(listener: (change: LeadershipChange) => void): () => void;
  /** Hands leadership to the most advanced other member. True once somebody else leads; false after the time-out. */
  transferLeadership(timeoutMs: number): Promise<boolean>;
  /** Settles when the node ended: resolved after `stop()`, rejected with the reason when it cannot go on (full disk, failed fsync). */
  readonly stopped: Promise<void>;
  /** Hands over leadership if it has it, finishes what is being written, closes the log. Pending calls are answered. */
  stop(): Promise<void>;
}
