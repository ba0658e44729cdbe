import type { Ballot, Revision, ShardOrdinal } from '@ringleader/primitives';
import type { ShardMessage } from '../messages.js';
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
  requestedAt: number;
  progressedAt: number;
  /** In later passes of a copy: the named keys of the present page end here. */
  keysEnd: string | null;
  /** A candidate's: what it does when it has the rows; null where the replica follows the source. */
  readonly whenInstalled: ((to: Position) => void) | null;
}
