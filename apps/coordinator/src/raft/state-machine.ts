import type { MemberId } from '@ringleader/primitives';

/** A committed command, on its way into the state machine. */
export interface CommittedCommand {
  /** Position in the log: strictly increasing from call to call, with gaps where Raft's own entries lie. */
  readonly index: number;
  readonly term: number;
  readonly command: Uint8Array;
}

/**
 * What the Raft group replicates. Everything is synchronous and deterministic: every member applies the same
 * commands in the same order and must arrive at the same state, byte for byte of its snapshot's meaning.
 * A throw from any of these ends the process, because a member that skipped a command is no longer a replica.
 */
export interface StateMachine<Result> {
  /** Called once for each committed command, in log order. The result answers the proposer, if it waits in this process. */
  apply(entry: CommittedCommand): Result;
  /**
   * The whole state after the last apply, in pieces of at most 1 MiB. Drained completely, within one turn,
   * before the next apply: the pieces may be views of live state.
   */
  snapshot(): Iterable<Uint8Array>;
  /** Replaces the whole state by that of a snapshot taken at `index`: at start, and when a lagging member is caught up. */
  restore(chunks: Iterable<Uint8Array>, index: number): void;
}

/** Who leads, as far as this member knows. `leader` is 0 while nobody does. */
export interface LeadershipChange {
  readonly term: number;
  readonly leader: MemberId;
  /**
   * Whether this member leads `term` and has applied everything that was committed before its term. Commands that
   * may only come from the leader (lease expiry, placement) start at true and stop at false; they carry `term`, because
   * another leader may already exist while this member still believes in itself.
   */
  readonly leading: boolean;
}
