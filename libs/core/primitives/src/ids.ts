/** The number the coordinator gives a shard at its registration: 1 to 65535, once, never again (docs/PROTOCOL.md 4.0). */
export type ShardOrdinal = number;

/** A partition's index: 0 <= partition < partitionCount. */
export type PartitionIndex = number;

/** Version of a partition's map entry: 1 and up; raised by every change of its replicas. */
export type Epoch = number;

/** Counts the writes of a partition: 0 is "no write yet". Below 2^53. */
export type Revision = number;

/** round x 65536 + ordinal: a leadership of one incarnation, one partition, one epoch. 0 is "none". Below 2^53. */
export type Ballot = number;

/** A hybrid logical clock reading packed in one integer: milliseconds x 1024 + counter. Below 2^53 until the year 2248. */
export type HybridTime = number;
export const HYBRID_UNITS_PER_MS = 1_024;

/** Raised, durably, at every start of a shard's storage. */
export type Incarnation = number;

/** A coordinator by its seat, which is what its subjects and clients call it: 1 and up. 0 is "none". (Raft knows members by ids of their own.) */
export type MemberId = number;
