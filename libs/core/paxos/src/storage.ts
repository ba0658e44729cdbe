/**
 * What the core asks of the storage of its shard, and what it is told in return.
 *
 * A shard's database has one writer which runs one transaction at a time, fenced by its incarnation
 * (docs/PROTOCOL.md 4.0, "one transaction"). The core checks conditions on records in memory when it adds to the next
 * transaction; nothing that depends on a transaction leaves the core before `transactionDurable` was called for it.
 * If a transaction's outcome is unknown the shell throws the core away and starts a new one from the database.
 */
import type { HybridTime, PartitionIndex, Revision } from '@ringleader/primitives';
import type { PartitionRecord, Row } from './records.js';

/** All of it becomes durable together, or none. Applied in the order of the fields. */
export interface StorageTransaction {
  /** Counts from 1; transactions are handed out, run and confirmed in this order, one at a time. */
  readonly id: number;
  /** The new state of every record that changes; one per partition. */
  readonly records: readonly PartitionRecord[];
  /** Rows to insert or replace; never two with the same (partition, generation, key). */
  readonly upserts: readonly RowUpsert[];
  /** Rows to remove (undo of what was never chosen, purge); those with a revision are not among the upserts. */
  readonly removals: readonly RowRemoval[];
}

export interface RowUpsert {
  readonly partition: PartitionIndex;
  readonly generation: number;
  readonly row: Row;
}

export interface RowRemoval {
  readonly partition: PartitionIndex;
  readonly generation: number;
  readonly key: string;
  /** Only if the row has this revision; null is whatever row there is. */
  readonly revision: Revision | null;
}

/** What a row costs beside its key and value, where limits of bytes are reckoned. */
export const ROW_OVERHEAD_BYTES = 128;

/**
 * Reads are answered by `readDone` in any order.
 * `rows`, `scan`, `tombstones`: from any snapshot that is taken after the read was handed out (a second connection will do).
 * `delta`, `page`, `digests`: from one snapshot that is exactly the state after the last transaction handed out before the read
 * and before the next one: the shell runs them in their place in the queue of the writer's connection. A transaction in
 * the same `Ready` comes before its reads. Of those that may pass a whole generation (`isPass`) one is handed out at a time,
 * so that the shell needs one more snapshot for them, and transactions go on meanwhile.
 *
 * Limits: a row is inside while there are fewer than `limitRows` before it, and while those before it have less than
 * `limitBytes`, each counted with its key, the value it is given back with, and ROW_OVERHEAD_BYTES. So the first row is
 * always inside, and whoever pages makes progress. `keysOnly` gives back empty values; a tombstone stays a tombstone.
 */
export type StorageRead =
  | { readonly kind: 'rows'; readonly id: number; readonly keys: readonly RowRead[] }
  | ScanRead
  | DeltaRead
  | PageRead
  | TombstoneRead
  | DigestRead;

export interface RowAddress {
  readonly partition: PartitionIndex;
  readonly generation: number;
  readonly key: string;
}

export interface RowRead extends RowAddress {
  /** A longer value is left out. */
  readonly valueBytesMax: number;
}

/** Live rows (no tombstones) of several partitions together, in byte order of their keys. */
export interface ScanRead {
  readonly kind: 'scan';
  readonly id: number;
  readonly partitions: readonly { readonly partition: PartitionIndex; readonly generation: number }[];
  readonly range: KeyRange;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
  readonly limitRows: number;
  readonly limitBytes: number;
}

export interface KeyRange {
  /** Inclusive; '' is the least key. */
  readonly start: string;
  /** Exclusive; null is no bound. */
  readonly end: string | null;
}

/** For a repair (4.3.2): every row past `base` in byte order of the keys, and the present row of each named key. */
export interface DeltaRead {
  readonly kind: 'delta';
  readonly id: number;
  readonly partition: PartitionIndex;
  readonly generation: number;
  readonly base: Revision;
  readonly keys: readonly string[];
  /**
   * Where a row past the base is outside of the limits, or the values of the named rows have more than `limitBytes`
   * together, the answer is `tooLarge`, and has no rows.
   */
  readonly limitRows: number;
  readonly limitBytes: number;
}

/** One page of a copy (4.3.4), or of the keys a replica has past its base (`keysOnly`). */
export interface PageRead {
  readonly kind: 'page';
  readonly id: number;
  readonly partition: PartitionIndex;
  readonly generation: number;
  /** First key of the page. */
  readonly start: string;
  /** Only rows with revision > base; 0 reads all. */
  readonly base: Revision;
  readonly keysOnly: boolean;
  readonly limitRows: number;
  readonly limitBytes: number;
}

/**
 * Whether a read looks for the rows past a base, however many there are before it: no index has them, so it may pass a whole
 * generation. Nothing is past the greatest revision.
 */
export function isPass(read: StorageRead): boolean {
  if (read.kind !== 'delta' && read.kind !== 'page') return false;
  return read.base > 0 && read.base < Number.MAX_SAFE_INTEGER;
}

/** The tombstones among so many rows in key order, the first of them at or after `start`. */
export interface TombstoneRead {
  readonly kind: 'tombstones';
  readonly id: number;
  readonly partition: PartitionIndex;
  readonly generation: number;
  readonly start: string;
  /** Rows to look at, tombstones or not. */
  readonly limitRows: number;
}

/** What stands for the rows of a range when replicas are compared (4.13): a digest of all of a row's fields. */
export interface DigestRead {
  readonly kind: 'digests';
  readonly id: number;
  readonly partition: PartitionIndex;
  readonly generation: number;
  /** Inclusive. */
  readonly start: string;
  /** Exclusive; null is no bound. */
  readonly end: string | null;
  /** The rows themselves, too. Else none is decoded: what a row has in it may be anything. */
  readonly wantsRows: boolean;
  readonly limitRows: number;
  readonly limitBytes: number;
}

export interface RowDigest {
  readonly key: string;
  readonly revision: Revision;
  /** False for a tombstone. */
  readonly live: boolean;
  /** 32 hexadecimal digits: equal for equal rows, whichever replica has them. */
  readonly digest: string;
}

export interface StoredRow {
  readonly row: Row;
  /** The value was left out, and reads as an empty one. */
  readonly isBare: boolean;
}

export type StorageReadResult =
  /** `rows[i]` belongs to `keys[i]`; null where none is. Tombstones are rows. */
  | { readonly kind: 'rows'; readonly id: number; readonly rows: readonly (StoredRow | null)[] }
  | {
      readonly kind: 'scan';
      readonly id: number;
      readonly rows: readonly { readonly partition: PartitionIndex; readonly row: Row }[];
      /** False when the range has no further row. */
      readonly more: boolean;
    }
  | {
      readonly kind: 'delta';
      readonly id: number;
      readonly rows: readonly Row[];
      /** `named[i]` belongs to `keys[i]`. */
      readonly named: readonly (Row | null)[];
      readonly tooLarge: boolean;
    }
  | {
      readonly kind: 'page';
      readonly id: number;
      readonly rows: readonly Row[];
      /** The first key of the next page, null at the end. */
      readonly nextKey: string | null;
    }
  | {
      readonly kind: 'tombstones';
      readonly id: number;
      readonly rows: readonly Row[];
      /** The first key that was not looked at, null at the end. */
      readonly nextKey: string | null;
    }
  | {
      readonly kind: 'digests';
      readonly id: number;
      /** In byte order of the keys. */
      readonly digests: readonly RowDigest[];
      /** Theirs, where they were wanted. */
      readonly rows: readonly Row[];
      /** The first key that is not among them, null at the end of the range. */
      readonly nextKey: string | null;
      /** Of those rows, as limits reckon. */
      readonly bytes: number;
    };

/**
 * Deletion of a whole generation that no record names any more; needs no place in the order of transactions. After a
 * restart the core does not ask again: the shell removes at its start what no record names.
 */
export interface GenerationRemoval {
  readonly partition: PartitionIndex;
  readonly generation: number;
}

/** How the wall clock of this shard reads, merged with what was heard: stamps rows; never decides safety. */
export type StampTime = () => HybridTime;
