import type { Ballot, Revision, ShardOrdinal } from '@ringleader/primitives';
import type { Remembered, ShardMessage } from '../messages.js';
import type { Position } from '../records.js';

/** A replica being brought up to date, from its leader or, as a candidate, from the replica it takes over from (4.3). */
export interface CatchUp {
  readonly source: ShardOrdinal;
  readonly ballot: Ballot;
  /** As the source last told. */
  commit: Revision;
  purgedTo: Revision;
  /** Sent and not answered; null while storage is read or written. */
  request: ShardMessage | null;
  /** What is asked next depends on the own keys, which are being listed: as long as that takes, nobody is to be waited for. */
  isListing: boolean;
  requestedAt: number;
  progressedAt: number;
  /** What was told meanwhile; the rows that it belongs to may come behind it. */
  remembered: Remembered | null;
  /** A candidate's: what it does when it has the rows; null where the replica follows the source. */
  readonly whenInstalled: ((to: Position) => void) | null;
}

/** The page of a copy that was asked for last. It may come when whoever asked has given up, and asks for something else. */
export interface AskedPage {
  readonly copyId: number;
  readonly pass: number;
  readonly start: string;
  /** In later passes: the named keys end here. */
  readonly keysEnd: string | null;
}
