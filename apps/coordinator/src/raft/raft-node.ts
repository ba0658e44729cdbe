/** One member of the coordinators’ group: what it replicates, what carries its messages, how it is set, how it is used. */
import type { OpenedLog } from '@ringleader/log-storage';
import type { CommandResult } from '@ringleader/mvcc';
import type { MemberId } from '@ringleader/primitives';
import { defaultLimits, defaultTimings } from '@ringleader/raft';
import type {
  Configuration,
  Introduction,
  MemberProgress,
  Message,
  RaftLimits,
  RaftTimings,
  Seat,
  Seated,
} from '@ringleader/raft';
import { injectable } from '@ringleader/service-host';
import type { MemberChangeOutcome, MemberRequest } from './group-changes.js';

/** A committed command, on its way into the state machine. */
export interface CommittedCommand {
  /** Position in the log: strictly increasing from call to call, with gaps where Raft's own entries lie. */
  readonly index: number;
  readonly term: number;
  readonly command: Uint8Array;
}

/**
 * What the Raft group replicates. What is applied is applied at once, and deterministic: every member applies the same
 * commands in the same order and must arrive at the same state, byte for byte of its snapshot's meaning.
 * A throw from any of these ends the process, because a member that skipped a command is no longer a replica.
 */
export interface StateMachine<Result> {
  /** Called once for each committed command, in log order. The result answers the proposer, if it waits in this process. */
  apply(entry: CommittedCommand): Result;
  /** The whole state as it is at this call, in pieces of at most 1 MiB that are taken one by one while more is applied. */
  snapshot(): Iterable<Uint8Array>;
  /**
   * Replaces the whole state by that of a snapshot taken at `index`: at start, and when a lagging member is caught up. Nothing is
   * applied meanwhile; the state before may be read until it is done.
   */
  restore(chunks: AsyncIterable<Uint8Array>, index: number): Promise<void>;
}

export interface RaftReceiver {
  /** `from` is whose they are, as the transport vouches for it: what a message says itself must fit. */
  messages(messages: readonly Message[], from: Seat): void;
  introduction(introduction: Introduction): void;
  /** The reason for a frame that is thrown away. */
  malformed(reason: string): void;
}

/** What carries messages between members: may lose, repeat and reorder them, and never waits. */
export interface RaftTransport {
  /** All of one turn for one member. */
  send(to: Seat, messages: readonly Message[]): void;
  introduce(to: Seat, introduction: Introduction): void;
  /** From now on it gets what comes, in place of the receiver before. */
  receive(receiver: RaftReceiver): void;
  /** Whether there is somebody at the seat; true where that is not known. */
  isThere(seat: Seat): Promise<boolean>;
  close(): void;
}

export interface ProposalLimits {
  /** Not yet answered: more are answered `unavailable` at once. */
  readonly countMax: number;
  /** Not yet handed over. */
  readonly queuedBytesMax: number;
  /** How long a proposal waits for a leader to be known. */
  readonly leaderWaitMs: number;
}

export interface RaftSettings {
  readonly tickMs: number;
  readonly timings: RaftTimings;
  readonly limits: RaftLimits;
  /** By which part the rates of two coordinators' clocks may differ, where reads go by a lease; null: no clock is trusted. */
  readonly leaseDriftMax: number | null;
  readonly proposals: ProposalLimits;
  readonly readsMax: number;
  /** Messages that wait for the loop: more are thrown away, which Raft takes for loss. */
  readonly inboxMessagesMax: number;
  /** How long entries are applied at a stretch, before the event loop turns. */
  readonly applyTurnMs: number;
  /** A snapshot is taken when so many entries, or bytes of them, were applied since the last. */
  readonly snapshotEveryEntries: number;
  readonly snapshotEveryBytes: number;
  /** Entries that stay in the log, and in memory, behind a snapshot, for followers that are only a little behind: but no more than so many bytes of them. */
  readonly trailingEntries: number;
  readonly trailingBytes: number;
}

export const defaultRaftSettings: RaftSettings = {
  tickMs: 50,
  timings: defaultTimings,
  limits: defaultLimits,
  leaseDriftMax: null,
  proposals: { countMax: 20_000, queuedBytesMax: 64 * 1024 * 1024, leaderWaitMs: 1_500 },
  readsMax: 50_000,
  inboxMessagesMax: 10_000,
  applyTurnMs: 10,
  snapshotEveryEntries: 10_000,
  snapshotEveryBytes: 64 * 1024 * 1024,
  trailingEntries: 1_000,
  trailingBytes: 32 * 1024 * 1024,
};

/** Who leads, as far as this member knows. `leader` is 0 while nobody does. */
export interface LeadershipChange {
  readonly term: number;
  readonly leader: Seat;
  /**
   * Whether this member leads `term` and has applied everything that was committed before its term. Commands that
   * may only come from the leader (lease expiry, placement) start at true and stop at false; they carry `term`, because
   * another leader may already exist while this member still believes in itself.
   */
  readonly leading: boolean;
}

/**
 * `unavailable`, `diskFull`: certainly not, and never will be, in the log: safe to repeat.
 * `outcomeUnknown`: may be committed, or become so later.
 */
export type ProposalOutcome<Result> =
  | { readonly kind: 'applied'; readonly index: number; readonly result: Result }
  | { readonly kind: 'unavailable' }
  /** This member has no room for it, or so many have none that nobody may have it. */
  | { readonly kind: 'diskFull' }
  | { readonly kind: 'outcomeUnknown' };

export type ReadBarrierOutcome =
  | { readonly kind: 'ready'; /** the state machine has applied at least this */ readonly index: number }
  | { readonly kind: 'unavailable' };

export type RaftRole = 'follower' | 'preCandidate' | 'candidate' | 'leader';

export interface RaftStatus {
  readonly seat: Seat;
  /** Of all members, each once. */
  readonly seats: readonly Seat[];
  readonly term: number;
  /** 0 when unknown. */
  readonly leader: Seat;
  readonly role: RaftRole;
  /** See LeadershipChange.leading. */
  readonly leading: boolean;
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly snapshotIndex: number;
  /** It takes no writes, and serves what it has. */
  readonly isDiskFull: boolean;
  /** It leads, and the disks of so many are full that nobody can take a write. */
  readonly isMajorityFull: boolean;
}

/** Who is in the group and who waits outside, as this member knows it. */
export interface RaftGroup {
  /** Of this member. */
  readonly id: MemberId;
  /** The newest: in force, but another leader may undo it until it is committed. */
  readonly configuration: Configuration;
  /** The newest that is committed, as far as this member knows: the same object where that is the newest. */
  readonly committed: Configuration;
  readonly configurationIndex: number;
  readonly lastIndex: number;
  /** Empty unless this member leads. */
  readonly progress: readonly MemberProgress[];
  readonly applicants: readonly Seated[];
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
  group(): RaftGroup;
  /** Only at the leader. Settles when it is done: a change of voters, when the configuration is not joint any more. */
  changeMembers(request: MemberRequest, timeoutMs: number): Promise<MemberChangeOutcome>;
  /** Hands leadership over, to the most advanced other member or to a seat. True once somebody else leads; false after the time-out. */
  transferLeadership(timeoutMs: number, to?: Seat): Promise<boolean>;
  /** Settles when the node ended: resolved after `stop()`, rejected with the reason when it cannot go on (failed write, failed fsync). */
  readonly stopped: Promise<void>;
  /** Hands over leadership if it has it, finishes what is being written, closes the log. Pending calls are answered. */
  stop(): Promise<void>;
}

/** Its log, as read at the start. */
export abstract class CoordinatorLog extends injectable<OpenedLog>() {}

/** This member of the coordinators' group. */
export abstract class CoordinatorRaft extends injectable<RaftNode<CommandResult>>() {}
