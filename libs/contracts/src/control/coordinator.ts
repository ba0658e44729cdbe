/**
 * What the coordinator offers over NATS: the etcd v3 data model's first slice. Keys and values are UTF-8 strings.
 * Any member serves any request: followers forward proposals, and linearizable reads are confirmed by ReadIndex.
 */
import { z } from 'zod';
import { messageContract } from '../message-contract.js';

const revision = z.int().min(0);
const leaseId = z.int().min(0);
export const coordinatorKey = z.string().min(1).max(1_024);

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

/** `rangeEnd` absent: the one key; otherwise keys from `key` on, before `rangeEnd`. */
const keyRange = { key: z.string().max(1_024), rangeEnd: z.string().max(1_025).optional() };

export const rangeRequestSchema = z.object({
  ...keyRange,
  limit: z.int().min(1).max(100_000).optional(),
  /** Read as of this revision; absent is the present one. */
  revision: revision.optional(),
  /** True reads the member's own state without asking a majority. */
  serializable: z.boolean().optional(),
});
export const rangeResponseSchema = z.object({ revision, items: z.array(keyValueSchema), more: z.boolean() });

export const compareSchema = z.object({
  key: coordinatorKey,
  target: z.enum(['version', 'createRevision', 'modRevision', 'lease', 'value']),
  result: z.enum(['equal', 'notEqual', 'greater', 'less']),
  /** A number, except for target `value`. A key that does not exist has version, revisions and lease 0, and no value. */
  operand: z.union([z.int().min(0), z.string()]),
});

export const operationSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('put'), key: coordinatorKey, value: z.string(), lease: leaseId.optional() }),
  z.object({ kind: z.literal('delete'), ...keyRange }),
  z.object({ kind: z.literal('range'), ...keyRange, limit: z.int().min(1).max(100_000).optional() }),
]);

export const txnRequestSchema = z.object({
  compare: z.array(compareSchema),
  success: z.array(operationSchema),
  failure: z.array(operationSchema),
});

export const operationResultSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('put') }),
  z.object({ kind: z.literal('delete'), deleted: z.int().min(0) }),
  z.object({ kind: z.literal('range'), items: z.array(keyValueSchema), more: z.boolean() }),
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
    errors: ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'LEASE_NOT_FOUND', 'OVERLOADED'],
    deadline: 'commit',
  }),
  leaseGrant: messageContract({
    operation: 'leaseGrant',
    request: z.object({ ttlMs: z.int().min(500).max(86_400_000) }),
    response: z.object({ leaseId, ttlMs: z.int() }),
    errors: ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'OVERLOADED'],
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
    errors: ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'LEASE_NOT_FOUND', 'OVERLOADED'],
    deadline: 'commit',
  }),
  /** A long poll: answers as soon as there are events at or after `fromRevision`, or empty after `waitMs`. */
  watch: messageContract({
    operation: 'watch',
    request: z.object({
      key: z.string().max(1_024),
      rangeEnd: z.string().max(1_025).optional(),
      fromRevision: z.int().min(1),
      waitMs: z.int().min(0).max(20_000),
    }),
    /** Ask again from `nextRevision`. All events of one revision come in one answer. */
    response: z.object({ events: z.array(watchEventSchema), nextRevision: z.int().min(1) }),
    errors: ['UNAVAILABLE', 'COMPACTED', 'OVERLOADED'],
    deadline: 'poll',
  }),
  status: messageContract({
    operation: 'status',
    request: z.object({}),
    response: z.object({
      memberId: z.int().min(1),
      term: z.int().min(0),
      /** 0 is "none known". */
      leader: z.int().min(0),
      role: z.enum(['follower', 'precandidate', 'candidate', 'leader']),
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
