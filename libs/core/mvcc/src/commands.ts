/**
 * What can be asked of the store, as data. A command changes the store and goes through the Raft log; it names
 * everything its outcome depends on, so that applying it reads no clock and no random number.
 */
import type { KeyRange } from './key-range.js';

/** Counts the changes of the whole store: 0 is "no write yet". */
export type StoreRevision = number;

/** 0 is "no lease". */
export type LeaseId = number;

export interface KeyValue {
  readonly key: string;
  readonly value: Uint8Array;
  /** The revision that created the key (after its last deletion). */
  readonly createRevision: StoreRevision;
  readonly modRevision: StoreRevision;
  /** Counts the writes since the creation: 1 is the creation itself. */
  readonly version: number;
  readonly lease: LeaseId;
}

export const NUMERIC_TARGETS = ['version', 'createRevision', 'modRevision', 'lease'] as const;
export const COMPARE_RESULTS = ['equal', 'notEqual', 'greater', 'less'] as const;
export type CompareResult = (typeof COMPARE_RESULTS)[number];

/**
 * Holds when it holds for every key of its range. A range without keys is compared as one key that does not exist: it has
 * version, revisions and lease 0, and no value, so that every comparison of its value fails.
 */
export type Compare = KeyRange & { readonly result: CompareResult } & (
    | { readonly target: (typeof NUMERIC_TARGETS)[number]; readonly operand: number }
    | { readonly target: 'value'; readonly operand: Uint8Array }
  );

export interface PutOperation {
  readonly kind: 'put';
  readonly key: string;
  /** Null keeps the value that the key has; a key that does not exist has none, and is refused. */
  readonly value: Uint8Array | null;
  /** Null keeps the lease in the same way; 0 is "no lease". */
  readonly lease: LeaseId | null;
  readonly wantsPrevious: boolean;
}

export interface DeleteOperation extends KeyRange {
  readonly kind: 'delete';
  readonly wantsPrevious: boolean;
}

export const SORT_FIELDS = ['key', 'version', 'createRevision', 'modRevision', 'value'] as const;

/** How a range is read. `plainRead` has what is meant where nothing is said. */
export interface ReadOptions {
  /** The store as it was right after this revision; 0 is "now", which in a transaction is after its own writes so far. */
  readonly revision: StoreRevision;
  /** 0 is "no limit". */
  readonly limit: number;
  /** Keys with equal values of the field stand in the order of the keys. */
  readonly sortBy: (typeof SORT_FIELDS)[number];
  readonly isDescending: boolean;
  readonly keysOnly: boolean;
  readonly countOnly: boolean;
  /** Keys outside of these are left out of the items, not out of the count; 0 is "no bound". */
  readonly minModRevision: StoreRevision;
  readonly maxModRevision: StoreRevision;
  readonly minCreateRevision: StoreRevision;
  readonly maxCreateRevision: StoreRevision;
}

export const plainRead: ReadOptions = {
  revision: 0,
  limit: 0,
  sortBy: 'key',
  isDescending: false,
  keysOnly: false,
  countOnly: false,
  minModRevision: 0,
  maxModRevision: 0,
  minCreateRevision: 0,
  maxCreateRevision: 0,
};

export interface RangeOperation extends KeyRange, ReadOptions {
  readonly kind: 'range';
}

/** If all comparisons hold `success` is executed, else `failure`. */
export interface Branches {
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

/** A transaction in a transaction: its comparisons, too, see the store as it was before all of it. */
export interface NestedTxn extends Branches {
  readonly kind: 'txn';
}

export type Operation = PutOperation | DeleteOperation | RangeOperation | NestedTxn;

/** Transactions within transactions: how many levels there are below the outermost. */
export const NESTING_DEPTH_MAX = 16;

/** All of it at one revision, or nothing. */
export interface TxnCommand extends Branches {
  readonly kind: 'txn';
}

export interface SizeLimit {
  /** How large the store may grow (`MvccStore.sizeBytes`); 0 is "without bounds". */
  readonly sizeBytesMax: number;
  /** Keys that begin so are put in a full store, too: those that its users cannot live without. Empty: none. */
  readonly exemptPrefix: string;
}

/** By which a store without a limit is made. */
export const noSizeLimit: SizeLimit = { sizeBytesMax: 0, exemptPrefix: '' };

/** Leases have a part of the limit to themselves: a full store still grants some, and no number of them fills the memory. */
export const LEASES_SHARE = 1 / 8;

export type Command =
  | TxnCommand
  /** `wanted` is the id that the lease shall have; 0 leaves it to the store. */
  | { readonly kind: 'leaseGrant'; readonly ttlMs: number; readonly wanted: LeaseId }
  | { readonly kind: 'leaseRevoke'; readonly lease: LeaseId }
  /**
   * The leader of `term` saw these leases run out. Only a log entry of that same term may say so: a leader of a later
   * term has given every lease a fresh time to live, and an old proposal which was under way must not take it back.
   */
  | {
      readonly kind: 'leaseExpire';
      readonly leases: readonly LeaseId[];
      readonly term: number;
      /** `MvccStore.wantedGrants` when they were seen: a wanted id that was granted since is another lease. */
      readonly asOf: number;
    }
  /** Forget what only reads before this revision, and watches before or from it, need. */
  | { readonly kind: 'compact'; readonly revision: StoreRevision }
  /** A command, so that all members refuse the same. */
  | ({ readonly kind: 'limitSize' } & SizeLimit);

export interface RangeResult {
  readonly items: readonly KeyValue[];
  /** How many keys the range holds, whatever the limit and the bounds of revisions. */
  readonly count: number;
  /** There are keys behind the last of `items`. */
  readonly more: boolean;
}

/** Of all keys and values that one transaction gives back, by `itemSize`; the first of them comes in any case. */
export const ANSWER_BYTES_MAX = 524_288;

/** `more`: the answer had no room for what is missing. */
export type OperationResult =
  /** `previous` is null where it was not wanted, where there was none, and with `more`. */
  | { readonly kind: 'put'; readonly previous: KeyValue | null; readonly more: boolean }
  /** `previous` has the deleted keys where they were wanted. */
  | {
      readonly kind: 'delete';
      readonly deleted: number;
      readonly previous: readonly KeyValue[];
      readonly more: boolean;
    }
  | ({ readonly kind: 'range' } & RangeResult)
  | { readonly kind: 'txn'; readonly succeeded: boolean; readonly results: readonly OperationResult[] };

/** Why nothing was done. The same on every member, because it depends on the store and the command only. */
export type Rejection =
  /** A transaction changes a key at most once: otherwise one revision would name two states of it. */
  | { readonly reason: 'duplicateKey'; readonly key: string }
  | { readonly reason: 'nestedTooDeep'; readonly depthMax: number }
  /** The value or the lease of a key that does not exist cannot be kept. */
  | { readonly reason: 'keyNotFound'; readonly key: string }
  | { readonly reason: 'leaseNotFound'; readonly lease: LeaseId }
  | { readonly reason: 'leaseExists'; readonly lease: LeaseId }
  /** The command was proposed in another term than it was decided in. */
  | { readonly reason: 'staleTerm'; readonly term: number }
  | { readonly reason: 'compacted'; readonly compactedRevision: StoreRevision }
  | { readonly reason: 'futureRevision'; readonly revision: StoreRevision }
  /** Deletions and compactions make room again; of leases, which have a part of it to themselves, their ends alone. */
  | {
      readonly reason: 'storeFull' | 'leasesFull';
      readonly sizeBytes: number;
      readonly sizeBytesMax: number;
    };

/** `revision` is always the store's after the command. */
export type CommandResult =
  | {
      readonly kind: 'txn';
      readonly revision: StoreRevision;
      readonly succeeded: boolean;
      readonly results: readonly OperationResult[];
    }
  | { readonly kind: 'leaseGranted'; readonly revision: StoreRevision; readonly lease: LeaseId }
  | { readonly kind: 'leasesEnded'; readonly revision: StoreRevision; readonly leases: readonly LeaseId[] }
  | { readonly kind: 'compacted'; readonly revision: StoreRevision }
  | ({ readonly kind: 'sizeLimited'; readonly revision: StoreRevision } & SizeLimit)
  | { readonly kind: 'rejected'; readonly revision: StoreRevision; readonly rejection: Rejection };
