/**
 * What the coordinator offers over NATS: the etcd v3 data model's first slice. Keys and values are UTF-8 strings.
 * Any member serves any request: followers forward proposals, and linearizable reads are confirmed by ReadIndex.
 */
import { z } from 'zod';
import { messageContract } from '../message-contract.js';
import { memberContracts } from './coordinator-members.js';
import { upkeepContracts } from './coordinator-upkeep.js';

/** Values of the control plane are small: in UTF-16 units. */
export const COORDINATOR_VALUE_LENGTH_MAX = 131_072;
/** Operations and comparisons of one request. (The first partition map is larger, and is made inside the coordinator.) */
export const COORDINATOR_TXN_OPERATIONS_MAX = 512;

const revision = z.int().min(0);
const leaseId = z.int().min(0);
const isWellFormed = (text: string): boolean => text.isWellFormed();
/** Text that has a UTF-8 form: a lone surrogate has none. */
const text = z.string().refine(isWellFormed, 'must be well-formed Unicode');
export const coordinatorKey = z
  .string()
  .min(1)
  .max(1_024)
  .refine(isWellFormed, 'must be well-formed Unicode');
const value = z
  .string()
  .max(COORDINATOR_VALUE_LENGTH_MAX)
  .refine(isWellFormed, 'must be well-formed Unicode');

export const keyValueSchema = z.object({
  key: coordinatorKey,
  value: z.string(),
  createRevision: revision,
  modRevision: revision,
  version: z.int().min(1),
  /** 0 is "no lease". */
  lease: leaseId,
});
export type KeyValue = z.infer<typeof keyValueSchema>;

/** `rangeEnd` absent: the one key; otherwise keys from `key` on, before `rangeEnd`, or to the end if that is empty. */
const keyRange = { key: text.max(1_024), rangeEnd: text.max(1_025).optional() };

export const rangeRequestSchema = z.object({
  ...keyRange,
  limit: z.int().min(1).max(100_000).optional(),
  /** Read as of this revision; absent is the present one. */
  revision: revision.optional(),
  /** True reads the member's own state without asking a majority. */
  serializable: z.boolean().optional(),
});
/**
 * `revision` is what was read. An answer is bounded in size: with `more`, ask again from behind the last key
 * (`keyAfter`), at this revision. `count` is of all keys of the range, whatever the bounds.
 */
export const rangeResponseSchema = z.object({
  revision,
  items: z.array(keyValueSchema),
  count: z.int().min(0),
  more: z.boolean(),
});

const compareResult = z.enum(['equal', 'notEqual', 'greater', 'less']);
/** A key that does not exist has version, revisions and lease 0, and no value: every comparison of its value fails. */
export const compareSchema = z.discriminatedUnion('target', [
  z.object({
    key: coordinatorKey,
    target: z.enum(['version', 'createRevision', 'modRevision', 'lease']),
    result: compareResult,
    operand: z.int().min(0),
  }),
  z.object({ key: coordinatorKey, target: z.literal('value'), result: compareResult, operand: value }),
]);

export const operationSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('put'), key: coordinatorKey, value, lease: leaseId.optional() }),
  z.object({ kind: z.literal('delete'), ...keyRange }),
  z.object({ kind: z.literal('range'), ...keyRange, limit: z.int().min(1).max(100_000).optional() }),
]);

export const txnRequestSchema = z.object({
  compare: z.array(compareSchema).max(COORDINATOR_TXN_OPERATIONS_MAX),
  success: z.array(operationSchema).max(COORDINATOR_TXN_OPERATIONS_MAX),
  failure: z.array(operationSchema).max(COORDINATOR_TXN_OPERATIONS_MAX),
});

export const operationResultSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('put') }),
  z.object({ kind: z.literal('delete'), deleted: z.int().min(0) }),
  z.object({
    kind: z.literal('range'),
    items: z.array(keyValueSchema),
    count: z.int().min(0),
    more: z.boolean(),
  }),
]);

export const txnResponseSchema = z.object({
  revision,
  succeeded: z.boolean(),
  results: z.array(operationResultSchema),
});

export const watchEventSchema = z.object({
  kind: z.enum(['put', 'delete']),
  /** For a delete: the key, with the revision that deleted it in modRevision, and an empty value. */
  item: keyValueSchema.extend({ version: z.int().min(0) }),
});
export type WatchEvent = z.infer<typeof watchEventSchema>;

export const coordinatorContracts = {
  ...memberContracts,
  ...upkeepContracts,
  range: messageContract({
    operation: 'range',
    request: rangeRequestSchema,
    response: rangeResponseSchema,
    errors: ['UNAVAILABLE', 'COMPACTED'],
    deadline: 'quick',
  }),
  txn: messageContract({
    operation: 'txn',
    request: txnRequestSchema,
    response: txnResponseSchema,
    errors: ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'LEASE_NOT_FOUND', 'OVERLOADED', 'DISK_FULL'],
    deadline: 'commit',
  }),
  leaseGrant: messageContract({
    operation: 'leaseGrant',
    request: z.object({ ttlMs: z.int().min(500).max(86_400_000) }),
    response: z.object({ leaseId, ttlMs: z.int() }),
    errors: ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'OVERLOADED', 'DISK_FULL'],
    deadline: 'commit',
  }),
  leaseKeepAlive: messageContract({
    operation: 'leaseKeepAlive',
    request: z.object({ leaseId }),
    response: z.object({ ttlMs: z.int() }),
    errors: ['UNAVAILABLE', 'NOT_LEADER', 'LEASE_NOT_FOUND'],
    deadline: 'quick',
  }),
  leaseRevoke: messageContract({
    operation: 'leaseRevoke',
    request: z.object({ leaseId }),
    response: z.object({ revision }),
    errors: ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'LEASE_NOT_FOUND', 'OVERLOADED', 'DISK_FULL'],
    deadline: 'commit',
  }),
  /** A long poll: answers as soon as there are events at or after `fromRevision`, or empty after `waitMs`. */
  watch: messageContract({
    operation: 'watch',
    request: z.object({
      ...keyRange,
      fromRevision: z.int().min(1),
      /** How many matching events of `fromRevision` were received already. */
      skip: z.int().min(0).optional(),
      waitMs: z.int().min(0).max(20_000),
    }),
    /**
     * Ask again from `nextRevision`. An answer is bounded in size, so a large revision may come in parts: then
     * `nextSkip` is not 0, and a consumer who wants whole revisions waits for the rest.
     */
    response: z.object({
      events: z.array(watchEventSchema),
      nextRevision: z.int().min(1),
      nextSkip: z.int().min(0),
    }),
    errors: ['UNAVAILABLE', 'COMPACTED', 'OVERLOADED'],
    deadline: 'poll',
  }),
  status: messageContract({
    operation: 'status',
    request: z.object({}),
    response: z.object({
      memberId: z.int().min(1),
      /** The seats of the group, running or not. */
      members: z.array(z.int().min(1)).optional(),
      term: z.int().min(0),
      /** 0 is "none known". */
      leader: z.int().min(0),
      role: z.enum(['follower', 'preCandidate', 'candidate', 'leader']),
      commitIndex: z.int().min(0),
      appliedIndex: z.int().min(0),
      firstIndex: z.int().min(0),
      lastIndex: z.int().min(0),
      revision,
      compactRevision: revision,
      leases: z.int().min(0),
    }),
    errors: [],
    deadline: 'quick',
  }),
};

export type CoordinatorOperation = keyof typeof coordinatorContracts;
