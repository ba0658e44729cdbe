/**
 * What the shell must do for the core, in any order between the fields: everything that must wait for the storage is
 * held back inside the core until `transactionDurable`.
 */
import type { Ballot, Epoch, PartitionIndex, Revision, ShardOrdinal } from '@ringleader/primitives';
import type { OutgoingMessage } from './messages.js';
import type { ShardReply } from './requests.js';
import type { GenerationRemoval, StorageRead, StorageTransaction } from './storage.js';

export interface Ready {
  /** At most one at a time: the next is handed out only after `transactionDurable(id)`. */
  readonly transaction: StorageTransaction | null;
  readonly reads: readonly StorageRead[];
  readonly removals: readonly GenerationRemoval[];
  readonly messages: readonly OutgoingMessage[];
  readonly replies: readonly ShardReply[];
  readonly events: readonly PaxosEvent[];
}

/** Facts for logs and metrics, and for those who follow leadership. */
export type PaxosEvent =
  | {
      readonly kind: 'leading';
      readonly partition: PartitionIndex;
      readonly epoch: Epoch;
      readonly ballot: Ballot;
    }
  | {
      readonly kind: 'steppedDown';
      readonly partition: PartitionIndex;
      readonly ballot: Ballot;
      readonly reason: 'superseded' | 'epoch' | 'handover' | 'leaseLost';
    }
  | { readonly kind: 'candidacy'; readonly partition: PartitionIndex; readonly ballot: Ballot }
  | {
      readonly kind: 'repaired';
      readonly partition: PartitionIndex;
      readonly revision: Revision;
      readonly rows: number;
    }
  | { readonly kind: 'copyStarted'; readonly partition: PartitionIndex; readonly copyId: number }
  | { readonly kind: 'copyFinished'; readonly partition: PartitionIndex; readonly copyId: number }
  /** A message, or a ballot or floor in it, that no honest shard says, or not at once (plausible.ts). */
  | { readonly kind: 'implausible'; readonly from: ShardOrdinal; readonly what: string }
  /** 4.13: a row of this replica was another one than that of most. */
  | { readonly kind: 'rowMended'; readonly partition: PartitionIndex; readonly key: string }
  /** 4.13: it was not mended: no majority agrees, or it could not be done now. Told by the leader. */
  | {
      readonly kind: 'rowDiffers';
      readonly partition: PartitionIndex;
      readonly key: string;
      /** Those who have it otherwise than most, or all. */
      readonly shards: readonly ShardOrdinal[];
      readonly isTie: boolean;
    }
  | ({ readonly kind: 'verified' } & VerifiedPartition)
  | { readonly kind: 'mapBehind'; readonly partition: PartitionIndex; readonly seenEpoch: Epoch };

/** 4.13: a partition was compared to its end. */
export interface VerifiedPartition {
  readonly partition: PartitionIndex;
  /** Whether all replicas were. */
  readonly complete: boolean;
  readonly rows: number;
  readonly differed: number;
  readonly mended: number;
}

/** 4.13: what was compared for the present run; null while there is none. */
export interface VerificationRun {
  readonly run: string | null;
  readonly partitions: readonly VerifiedPartition[];
}

/** 4.13. */
export interface VerificationPace {
  /** How often a leader compares each partition by itself. */
  readonly intervalMs: number;
  /** Of rows that are read for it, at most, as long as there is nothing else to do. */
  readonly bytesPerSecond: number;
}

/** A partition's entry of the map, as the coordinator committed it (§3.4, §6). */
export interface PartitionAssignment {
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly replicas: readonly ShardOrdinal[];
  /** The new set of a joint epoch; null outside of one. */
  readonly nextReplicas: readonly ShardOrdinal[] | null;
  readonly learners: readonly ShardOrdinal[];
  readonly preferredLeader: ShardOrdinal;
  /** The last time that it went on without a majority, because a person said so (6.8); absent: never. */
  readonly recovery?:
    | {
        /** Counts them. */
        readonly times: number;
        readonly epoch: Epoch;
        /** With whose replicas it went on. */
        readonly kept: readonly ShardOrdinal[];
      }
    | undefined;
}

export interface PaxosTimings {
  /** L: what a grant is worth (4.4.1). */
  readonly leaseMs: number;
  /** The holder counts leaseMs x (1 - driftFraction). */
  readonly driftFraction: number;
  readonly heartbeatIntervalMs: number;
  /** Replica number r waits r x stagger before it prepares (4.9). */
  readonly electionStaggerMs: number;
  /** A candidacy without a quorum of promises after this long is given up, and begun anew at a higher round. */
  readonly candidacyTimeoutMs: number;
  /** How long after its first attempt clients may repeat a keyed write (4.7.6). */
  readonly repeatWindowMs: number;
  /** S: by how much two hybrid clocks, gateways' and shards', may differ (4.7.6). */
  readonly clocksDifferMs: number;
  /** A replica that is down for so long holds up no purge (4.6.1). */
  readonly purgeAfterMs: number;
  /** How long a tombstone that all have stays: as long as its key's requests may be repeated (4.6.5). */
  readonly purgeRestMs: number;
  /** How often an unanswered message that must be answered (Prepare, Accept, repair) is sent again. */
  readonly resendIntervalMs: number;
}

export interface PaxosLimits {
  /** 4.2.6. */
  readonly inFlightRevisionsMax: number;
  /** Requests accepted and not yet answered, over all partitions: more are answered `overloaded`. */
  readonly requestsMax: number;
  /** Bytes of values of those requests. */
  readonly requestBytesMax: number;
  /** So many of them keep the shard busy. */
  readonly requestBytesWanted: number;
  /** One transaction, one Accept: what is over waits for the next. */
  readonly batchRowsMax: number;
  readonly batchBytesMax: number;
  /** What a transaction carries, about: its own batches wait for the next one then, and peers are kept waiting. */
  readonly transactionBytesMax: number;
  /** Waiting for or on its way to one peer, over all partitions: more rows are not sent until it has taken some. */
  readonly peerBacklogBytesMax: number;
  /** 4.3.2: what a repair may carry. */
  readonly repairRowsMax: number;
  readonly repairBytesMax: number;
  readonly rowCacheBytesMax: number;
  /** What all partitions together remember of keyed writes (4.7.6), about. */
  readonly keyedBytesMax: number;
  /** What they remember of the keys of recent revisions (4.3.8), about. */
  readonly recentBytesMax: number;
  /** What they know of tombstones (4.6.7), about. */
  readonly tombstoneBytesMax: number;
  /** Which keys there may be; what needs more than its part forgets it, and reads before each write. */
  readonly keysBytesMax: number;
  /** A write needs the row before it, but not its value: a longer one is not read for it. */
  readonly valueBytesBeforeWrites: number;
}

/** Of all partitions of this shard, for metrics. */
export interface PurgeStatus {
  /** Known at present. */
  readonly tombstones: number;
  readonly purgedTotal: number;
  /** Of the partitions led that have tombstones, how many revisions the purge point of the last one is behind. */
  readonly lagRevisions: number;
  /** Partitions whose rows have not been looked through for tombstones yet. */
  readonly lookedForIn: number;
}

/** A summary of one partition at this shard, for metrics, gateways and tests. */
export interface PartitionStatus {
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly role: 'leader' | 'candidate' | 'follower' | 'learner' | 'removed';
  /** The ballot led or stood at; else the promised one. */
  readonly ballot: Ballot;
  /** 0 where none is known. */
  readonly leader: ShardOrdinal;
  readonly position: { readonly ballot: Ballot; readonly revision: Revision };
  readonly commit: Revision;
  readonly promised: Ballot;
  /** Leader: the barrier is committed, so writes are acknowledged. */
  readonly serving: boolean;
  readonly leased: boolean;
  readonly copying: boolean;
}

/** Of a partition that this shard leads, and whose replicas are being exchanged (docs/PROTOCOL.md 6.1, 6.3). */
export interface MoveReport {
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly ballot: Ballot;
  /** True for ever, once it was said of an epoch. */
  readonly ready: boolean;
  readonly learners: readonly LearnerReport[];
}

export interface LearnerReport {
  readonly ordinal: ShardOrdinal;
  readonly caughtUp: boolean;
  /** Of rows that were sent to it for its present copy, by this leader. */
  readonly bytesDone: number;
  /** An estimate. */
  readonly bytesTotal: number;
}
