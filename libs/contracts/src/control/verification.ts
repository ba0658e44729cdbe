/** Anti-entropy (docs/PROTOCOL.md 4.13): the replicas of every partition are held against each other. */
import { z } from 'zod';
import { OPERATORS, messageContract } from '../message-contract.js';

const count = z.int().min(0);

/** Below `/ringleader/`: the verification that was last asked for. Shards watch it, the coordinators' leader writes it. */
export const VERIFICATION_KEY = '/ringleader/verification';

export const verificationSchema = z
  .object({
    id: z.string(),
    startedAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable().describe('Null while it is under way.'),
    partitionsTotal: count,
    partitionsDone: count.describe('Compared, or given up as in incomplete.'),
    incomplete: count.describe(
      'Partitions of which a replica was not compared: it was down, behind or copied to, or the partition was being moved.',
    ),
    rows: count.describe('Compared; each counts once, however many replicas have it.'),
    differed: count.describe('Rows that a replica had otherwise than the majority.'),
    mended: count.describe('Of those: rows that have been put right.'),
  })
  .meta({ id: 'Verification' });
export type Verification = z.infer<typeof verificationSchema>;

/** Of one partition, by the shard that leads it, once it is through. */
export const verifiedPartitionSchema = z.object({
  partition: z.int().min(0).max(16_383),
  /** Whether all replicas were compared. */
  complete: z.boolean(),
  rows: count,
  differed: count,
  mended: count,
});
export type VerifiedPartition = z.infer<typeof verifiedPartitionSchema>;

export const verificationContracts = {
  /** By gateways, for operators. One that is under way is joined: its id comes back. */
  startVerification: messageContract({
    operation: 'startVerification',
    askers: OPERATORS,
    request: z.object({}),
    response: verificationSchema,
    errors: ['UNAVAILABLE', 'NOT_LEADER', 'OUTCOME_UNKNOWN'],
    deadline: 'commit',
  }),
  /** The one that was last asked for, as far as it has come; null before the first. */
  verification: messageContract({
    operation: 'verification',
    askers: OPERATORS,
    request: z.object({}),
    response: z.object({ verification: verificationSchema.nullable() }),
    errors: ['UNAVAILABLE', 'NOT_LEADER'],
    deadline: 'quick',
  }),
  /** From a shard: all that it has done for this verification, again and again until that has ended. */
  reportVerification: messageContract({
    operation: 'reportVerification',
    askers: ['shard'],
    request: z.object({ id: z.string(), partitions: z.array(verifiedPartitionSchema).max(16_384) }),
    response: z.object({}),
    errors: ['UNAVAILABLE', 'NOT_LEADER'],
    deadline: 'quick',
  }),
};
export type VerificationOperation = keyof typeof verificationContracts;
