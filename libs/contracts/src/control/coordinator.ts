/**
 * What the coordinator offers over NATS: the data model of etcd v3, its leases, watches and compaction.
 * Any member serves any request: followers forward proposals, and linearizable reads are confirmed by ReadIndex.
 */
import { z } from 'zod';
import { ANY_MEMBER, messageContract } from '../message-contract.js';
import { memberContracts } from './coordinator-members.js';
import { upkeepContracts } from './coordinator-upkeep.js';
import { placementContracts } from './placement.js';
import { verificationContracts } from './verification.js';
import {
  NO_KEY,
  keyRange,
  keyValueSchema,
  leaseId,
  namesKeys,
  rangeRequestSchema,
  rangeResponseSchema,
  revision,
  txnRequestSchema,
  txnResponseSchema,
} from './coordinator-store.js';
import { watchContracts } from './watch-stream.js';

const leaseTtlMs = z.int().min(500).max(86_400_000);

export const watchEventSchema = z.object({
  kind: z.enum(['put', 'delete']),
  /** For a delete: the key, with the revision that deleted it in modRevision, and an empty value. */
  item: keyValueSchema.extend({ version: z.int().min(0) }),
});
export type WatchEvent = z.infer<typeof watchEventSchema>;

export const coordinatorContracts = {
  ...memberContracts,
  ...upkeepContracts,
  ...watchContracts,
  ...placementContracts,
  ...verificationContracts,
  range: messageContract({
    operation: 'range',
    askers: ANY_MEMBER,
    request: rangeRequestSchema,
    response: rangeResponseSchema,
    errors: ['UNAVAILABLE', 'COMPACTED', 'FUTURE_REVISION'],
    deadline: 'quick',
  }),
  txn: messageContract({
    operation: 'txn',
    askers: ANY_MEMBER,
    request: txnRequestSchema,
    response: txnResponseSchema,
    errors: [
      'UNAVAILABLE',
      'OUTCOME_UNKNOWN',
      'OVERLOADED',
      'DISK_FULL',
      'FORBIDDEN',
      'STORE_FULL',
      'REQUEST_TOO_LARGE',
      'NESTED_TOO_DEEP',
      'DUPLICATE_KEY',
      'KEY_NOT_FOUND',
      'LEASE_NOT_FOUND',
      'COMPACTED',
      'FUTURE_REVISION',
    ],
    deadline: 'commit',
  }),
  leaseGrant: messageContract({
    operation: 'leaseGrant',
    askers: ANY_MEMBER,
    request: z.object({
      ttlMs: leaseTtlMs,
      /** The id that the lease shall have. Absent: one that was never given, which is what members of the cluster use. */
      leaseId: z.int().min(1).optional(),
    }),
    response: z.object({ leaseId, ttlMs: z.int() }),
    errors: ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'OVERLOADED', 'DISK_FULL', 'LEASE_EXISTS', 'STORE_FULL'],
    deadline: 'commit',
  }),
  leaseKeepAlive: messageContract({
    operation: 'leaseKeepAlive',
    askers: ANY_MEMBER,
    request: z.object({ leaseId }),
    response: z.object({ ttlMs: z.int() }),
    errors: ['UNAVAILABLE', 'NOT_LEADER', 'LEASE_NOT_FOUND'],
    deadline: 'quick',
  }),
  /** Served by the leader, who alone counts the time. */
  leaseTimeToLive: messageContract({
    operation: 'leaseTimeToLive',
    askers: ANY_MEMBER,
    request: z.object({
      leaseId,
      /** Whether to list the keys that end with it: with `more`, ask again with `keysFrom` behind the last (`keyAfter`). */
      wantsKeys: z.boolean().optional(),
      keysFrom: keyRange.key.optional(),
    }),
    response: z.object({
      /** As it was granted. */
      ttlMs: z.int(),
      /** 0 while its end is being decided. */
      remainingMs: z.int().min(0),
      keys: z.array(z.string()).optional(),
      more: z.boolean().optional(),
    }),
    errors: ['UNAVAILABLE', 'NOT_LEADER', 'LEASE_NOT_FOUND'],
    deadline: 'quick',
  }),
  /** All there are, by ascending ids: with `more`, ask again from behind the last. */
  leases: messageContract({
    operation: 'leases',
    askers: ANY_MEMBER,
    request: z.object({ from: leaseId.optional() }),
    response: z.object({ leases: z.array(z.object({ leaseId, ttlMs: z.int() })), more: z.boolean() }),
    errors: ['UNAVAILABLE'],
    deadline: 'quick',
  }),
  leaseRevoke: messageContract({
    operation: 'leaseRevoke',
    askers: ANY_MEMBER,
    request: z.object({ leaseId }),
    response: z.object({ revision }),
    errors: ['UNAVAILABLE', 'OUTCOME_UNKNOWN', 'OVERLOADED', 'DISK_FULL', 'FORBIDDEN', 'LEASE_NOT_FOUND'],
    deadline: 'commit',
  }),
  /** The watch of version 0.1.0, for its clients. A long poll: answers as soon as there are events at or after `fromRevision`, or empty after `waitMs`. */
  watch: messageContract({
    operation: 'watch',
    askers: ANY_MEMBER,
    request: z
      .object({
        ...keyRange,
        fromRevision: z.int().min(1),
        /** How many matching events of `fromRevision` were received already. */
        skip: z.int().min(0).optional(),
        waitMs: z.int().min(0).max(20_000),
      })
      .refine(namesKeys, NO_KEY),
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
    askers: ANY_MEMBER,
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
      /** Of the store with its history, by its own measure; what it may be at most, or 0. */
      storeBytes: z.int().min(0).optional(),
      storeBytesMax: z.int().min(0).optional(),
      /** So many failure detectors a verdict takes. */
      detectorQuorum: z.int().min(1).optional(),
    }),
    errors: [],
    deadline: 'quick',
  }),
};

export type CoordinatorOperation = keyof typeof coordinatorContracts;
