/**
 * What a replica keeps durably: one record per partition, one row per key (docs/PROTOCOL.md 4.0).
 * The rows of a partition are the replicated state; the record names exactly which history those rows are.
 */
import type { Ballot, Epoch, HybridTime, PartitionIndex, Revision } from '@ringleader/primitives';

/** Names one history, because a ballot has one leader and a leader only appends. Compared by ballot, then revision. */
export interface Position {
  readonly ballot: Ballot;
  readonly revision: Revision;
}

/** A copy under way: rows gathered in a generation of their own until one atomic switch (4.3.4). */
export interface Staging {
  readonly copyId: number;
  readonly generation: number;
  /** The ballot of the leader that sent the last page. */
  readonly ballot: Ballot;
  readonly base: Revision;
  /** What `base` becomes when the present pass is through. */
  readonly nextBase: Revision;
  /** The greatest of any page's source, as the next field: rows that one of them purged are in no page (4.3.4). */
  readonly purgedTo: Revision;
  readonly dedupeFloor: HybridTime;
  /** The first key of the next page; null when the present pass is through. */
  readonly nextKey: string | null;
  /** 1 for the first pass over all keys; later passes send what changed meanwhile (4.3.5). */
  readonly pass: number;
}

/** Always: purgedTo <= commitBound <= (volatile) commit <= position.revision. */
export interface PartitionRecord {
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly promised: Ballot;
  readonly position: Position;
  readonly commitBound: Revision;
  readonly purgedTo: Revision;
  readonly dedupeFloor: HybridTime;
  /** Which generation of rows is live. Numbers are never used twice: incarnation x 65536 + a counter (below 2^53). */
  readonly generation: number;
  readonly staging: Staging | null;
}

/** One remembered write of a key, for the first answer to a repeated request (4.7.3). */
export interface RequestMark {
  /** At most 64 characters; unique to one request of one client. */
  readonly id: string;
  readonly origin: HybridTime;
  readonly revision: Revision;
  readonly version: number;
}

/** An array; or what a frame brought, which is read when somebody asks: mostly nobody does but the storage, for the bytes. */
export interface RequestMarks extends Iterable<RequestMark> {
  readonly length: number;
  /** False where it is known that none of them is of a keyed write (4.7.6). */
  readonly mayBeKeyed?: boolean;
}

export interface Row {
  /** 1 to 1,024 bytes of UTF-8. */
  readonly key: string;
  /** Null is a tombstone. */
  readonly value: Uint8Array | null;
  readonly contentType: string;
  readonly revision: Revision;
  /** Writes of the key since it was created, starting at 1; 0 in a tombstone. */
  readonly version: number;
  readonly createdAt: HybridTime;
  readonly modifiedAt: HybridTime;
  /** When the leader will write a tombstone for it; null is never. */
  readonly expiresAt: HybridTime | null;
  /** The last 4 writes, oldest first. */
  readonly requests: RequestMarks;
  readonly requestFloor: HybridTime;
}
