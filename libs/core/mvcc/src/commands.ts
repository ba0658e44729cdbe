/**
 * What can be asked of the store, as data. A command changes the store and goes through the Raft log; it names
 * everything its outcome depends on, so that applying it reads no clock and no random number.
 */
import type { KeyRange } from './key-range.js';

/** Counts the changes of the whole store: 0 is "no write yet". */
export type StoreRevision = number;

/** Counts the leases ever granted: 0 is "no lease". */
export type LeaseId = number;

export interface KeyValue {
  readonly key: string;
  readonly value: string;
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

/** A key that does not exist has version, revisions and lease 0, and no value: every comparison of its value fails. */
export type Compare = { readonly key: string; readonly result: CompareResult } & (
  | { readonly target: (typeof NUMERIC_TARGETS)[number]; readonly operand: number }
  | { readonly target: 'value'; readonly operand: string }
);

export interface PutOperation {
  readonly kind: 'put';
  readonly key: string;
  readonly value: string;
  readonly lease: LeaseId;
}

export interface DeleteOperation extends KeyRange {
  readonly kind: 'delete';
}

export interface RangeOperation extends KeyRange {
  readonly kind: 'range';
  /** 0 is "no limit". */
  readonly limit: number;
}

export type Operation = PutOperation | DeleteOperation | RangeOperation;

/** If all comparisons hold `success` is executed, else `failure`; all of it at one revision, or nothing. */
export interface TxnCommand {
  readonly kind: 'txn';
  readonly compare: readonly Compare[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[];
}

export type Command =
  | TxnCommand
  | { readonly kind: 'leaseGrant'; readonly ttlMs: number }
  | { readonly kind: 'leaseRevoke'; readonly lease: LeaseId }
  /**
   * The leader of `term` saw these leases run out. Only a log entry of that same term may say so: a leader of a later
   * term has given every lease a fresh time to live, and an old proposal which was under way must not take it back.
   */
  | { readonly kind: 'leaseExpire'; readonly leases: readonly LeaseId[]; readonly term: number }
  /** Forget what only reads and watches before or at this revision need. */
  | { readonly kind: 'compact'; readonly revision: StoreRevision };

export interface RangeResult {
  readonly items: readonly KeyValue[];
  /** How many keys the range holds, whatever the limit. */
  readonly count: number;
  /** There are keys behind the last of `items`. */
  readonly more: boolean;
}

export type OperationResult =
  | { readonly kind: 'put' }
  | { readonly kind: 'delete'; readonly deleted: number }
  | ({ readonly kind: 'range' } & RangeResult);

/** Why nothing was done. The same on every member, because it depends on the store and the command only. */
export type Rejection =
  /** A transaction changes a key at most once: otherwise one revision would name two states of it. */
  | { readonly reason: 'duplicateKey'; readonly key: string }
  | { readonly reason: 'leaseNotFound'; readonly lease: LeaseId }
  /** The command was proposed in another term than it was decided in. */
  | { readonly reason: 'staleTerm'; readonly term: number }
  | { readonly reason: 'futureRevision'; readonly revision: StoreRevision };

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
  | { readonly kind: 'rejected'; readonly revision: StoreRevision; readonly rejection: Rejection };
