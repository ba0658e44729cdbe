/**
 * What a gateway asks of a shard, and the answers (docs/PROTOCOL.md 4.5, 4.7). One request is about one key, or is one
 * scan over the partitions that this shard leads.
 */
import type {
  Ballot,
  Epoch,
  HybridTime,
  PartitionIndex,
  Revision,
  ShardOrdinal,
} from '@ringleader/primitives';
import type { KeyRange } from './storage.js';
import type { Row } from './records.js';

export type Condition =
  | { readonly kind: 'ifRevision'; readonly revision: Revision }
  | { readonly kind: 'ifVersion'; readonly version: number }
  | { readonly kind: 'ifAbsent' }
  | { readonly kind: 'ifPresent' };

export interface PutOperation {
  readonly kind: 'put';
  readonly key: string;
  readonly value: Uint8Array;
  readonly contentType: string;
  readonly expiresAt: HybridTime | null;
  readonly conditions: readonly Condition[];
}

export interface DeleteOperation {
  readonly kind: 'delete';
  readonly key: string;
  readonly conditions: readonly Condition[];
}

/** A request names the ballot it is sent to; a leader of another ballot answers `notLeader` and does nothing (4.7.2). */
export interface WriteRequest {
  readonly kind: 'write';
  /** The shell's handle for the answer. */
  readonly token: number;
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly ballot: Ballot;
  readonly requestId: string;
  /** The gateway's hybrid clock at the first attempt, unchanged by retries. */
  readonly origin: HybridTime;
  readonly operation: PutOperation | DeleteOperation;
  /** This shard's monotonic clock; past it the request may be dropped if it has not been started, answered `overloaded`. */
  readonly deadline: number;
}

export interface ReadRequest {
  readonly kind: 'read';
  readonly token: number;
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  readonly key: string;
  /** `stale` may be answered by any replica; maxStalenessMs null is any age (4.5.2, 4.5.3). */
  readonly consistency:
    { readonly kind: 'linearizable' } | { readonly kind: 'stale'; readonly maxStalenessMs: number | null };
  readonly deadline: number;
}

/**
 * Linearizable scan over partitions which the caller believes this shard leads. A partition that it does not lead is
 * named in the answer, and the caller asks again elsewhere.
 */
export interface ScanRequest {
  readonly kind: 'scan';
  readonly token: number;
  readonly partitions: readonly PartitionIndex[];
  readonly range: KeyRange;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
  readonly limitRows: number;
  readonly limitBytes: number;
  readonly consistency: ReadRequest['consistency'];
  readonly deadline: number;
}

/** Ids of keyed requests begin with this; all others are of one gateway's making, which keeps their origin (4.7.6). */
export const KEYED_ID_PREFIX = 'key:';

export function isKeyed(requestId: string): boolean {
  return requestId.startsWith(KEYED_ID_PREFIX);
}

export type ShardRequest = WriteRequest | ReadRequest | ScanRequest;

export type ShardReply =
  | {
      readonly kind: 'written';
      readonly token: number;
      readonly revision: Revision;
      readonly version: number;
      /** True where the key did not exist before. */
      readonly created: boolean;
      readonly createdAt: HybridTime;
      readonly modifiedAt: HybridTime;
    }
  /** A delete of a key that does not exist: nothing was written. */
  | { readonly kind: 'absent'; readonly token: number }
  | {
      readonly kind: 'conditionFailed';
      readonly token: number;
      /** The present revision and version; 0 where the key does not exist. */
      readonly revision: Revision;
      readonly version: number;
    }
  | {
      readonly kind: 'row';
      readonly token: number;
      /** Null: absent, or deleted. */
      readonly row: Row | null;
      /** For stale reads: the proven age in milliseconds, null where none was proven. */
      readonly stalenessMs: number | null;
    }
  | {
      readonly kind: 'rows';
      readonly token: number;
      readonly rows: readonly Row[];
      readonly more: boolean;
      /** Partitions asked for that this shard could not answer for. When not empty, `rows` is empty. */
      readonly notLed: readonly PartitionIndex[];
    }
  /** Nothing was done. `ballot` 0 and `leader` 0 where none is known. */
  | {
      readonly kind: 'notLeader';
      readonly token: number;
      readonly ballot: Ballot;
      readonly leader: ShardOrdinal;
      readonly epoch: Epoch;
    }
  /** A stale read that this replica cannot answer: try another one. */
  | { readonly kind: 'tooStale'; readonly token: number }
  /** Nothing was done: too much is in flight. */
  | { readonly kind: 'overloaded'; readonly token: number }
  /** A write that may or may not happen, or a repeat of one too old to be remembered. */
  | { readonly kind: 'outcomeUnknown'; readonly token: number };
