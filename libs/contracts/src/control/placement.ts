/** How the cluster changes its shape. Served by the coordinators' leader. */
import { z } from 'zod';
import { OPERATORS, messageContract } from '../message-contract.js';
import {
  INCIDENT_KINDS,
  SHARD_STATES,
  incidentSchema,
  placementLimitsSchema,
  verdictRecordSchema,
  voteSchema,
} from '../metadata/placement-metadata.js';
import { SERVICES } from '../metadata/cluster-metadata.js';

const ordinal = z.int().min(1).max(65_535);
const partition = z.int().min(0).max(16_383);
const epoch = z.int().min(1);
const shard = z.string().describe('The shard’s name, as in shard-1.');

export const placedShardSchema = z
  .object({
    shard,
    ordinal,
    state: z.enum(SHARD_STATES),
    since: z.iso.datetime().describe('Of the state.'),
    verdict: z.enum(['alive', 'suspect', 'down']),
    zone: z.string(),
    weight: z.number(),
    replicas: z.int().describe('Partitions that it holds a replica of, moves under way not counted.'),
    leaders: z.int().describe('Partitions that the map prefers it to lead.'),
    arriving: z.int().describe('Replicas that the plan still puts on it.'),
    departing: z.int().describe('Replicas that the plan still takes from it.'),
    removable: z.boolean(),
    notRemovable: z.string().nullable().describe('Why not; null when it can be removed.'),
  })
  .meta({ id: 'PlacedShard' });
export type PlacedShard = z.infer<typeof placedShardSchema>;

/**
 * What each name stands for, which is what commands act on: beside a shard that came back as a new one its predecessor stays
 * in the list until it holds nothing. Ordinals ascend, and are given once.
 */
export function shardsByName(shards: readonly PlacedShard[]): ReadonlyMap<string, PlacedShard> {
  return new Map([...shards].sort((a, b) => a.ordinal - b.ordinal).map((one) => [one.shard, one]));
}

export const plannedMoveSchema = z
  .object({
    partition,
    add: shard.nullable(),
    remove: shard.nullable(),
    reason: z.enum(['balance', 'drain', 'replace', 'zone', 'replicationFactor']).describe('Why it is moved.'),
    phase: z.enum(['planned', 'learn', 'joint', 'abandoning']),
    waitsFor: z.string().describe('What its next step waits for, in words.'),
    startedAt: z.iso.datetime().nullable(),
    bytesDone: z.int().min(0),
    bytesTotal: z.int().min(0).describe('An estimate.'),
    bytesPerSecond: z.number().min(0),
    endsInMs: z.number().min(0).nullable().describe('An estimate; null while nothing moves.'),
  })
  .meta({ id: 'Move' });
export type PlannedMove = z.infer<typeof plannedMoveSchema>;

export const planSchema = z
  .object({
    epoch: epoch.describe('What If-Match compares: raised by every change of membership and every command.'),
    paused: z.boolean(),
    pausedBy: z
      .literal('operator')
      .optional()
      .describe('There while the operator of Kubernetes has paused moves for an update; no person did.'),
    limits: placementLimitsSchema,
    blocked: z.string().nullable().describe('Why nothing can be planned; null when something can.'),
    moves: z
      .array(plannedMoveSchema)
      .describe('Under way first, then in the order in which they will begin.'),
    movesTotal: z
      .int()
      .min(0)
      .describe('Partitions that are moved or to be moved, of which `moves` holds the first thousand.'),
    leaderChanges: z.int().min(0),
    bytesTotal: z.int().min(0).describe('An estimate of what is still to be copied.'),
  })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof planSchema>;

/** What is asked of placement. With `ifEpoch` only while the plan has this epoch. */
export const placementCommandSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('drain'), shard }),
  z.object({ kind: z.literal('undrain'), shard }),
  z.object({ kind: z.literal('remove'), shard }),
  z.object({ kind: z.literal('weight'), shard, weight: z.number().min(0.01).max(100) }),
  /** `by` the operator of Kubernetes: its own pause, which a person's takes the place of, and the end of that one only. */
  z.object({ kind: z.literal('pause'), by: z.literal('operator').optional() }),
  z.object({ kind: z.literal('resume'), by: z.literal('operator').optional() }),
  /** Takes back moves under way: all of them, after which placement is paused, or that of one partition. */
  z.object({ kind: z.literal('cancel'), partition: partition.optional() }),
  z.object({ kind: z.literal('limits'), limits: placementLimitsSchema.partial() }),
]);
export type PlacementCommand = z.infer<typeof placementCommandSchema>;

export const recoveredPartitionSchema = z
  .object({
    partition,
    kept: z
      .array(shard)
      .describe('Shards that go on with what they have of it. Those that are down are waited for.'),
    copying: z
      .array(shard)
      .describe(
        'Those that were copying it, and decide from now on, too: each has all of it, or nothing. Neither: it begins anew, empty.',
      ),
    down: z.array(shard).describe('Of all these, those that are down, and are waited for.'),
    lost: z.array(shard).describe('Those that had replicas of it.'),
  })
  .meta({ id: 'RecoveredPartition' });
export type RecoveredPartition = z.infer<typeof recoveredPartitionSchema>;

/** Of a partition with learners, or with two sets of replicas, by the shard that leads it. */
export const moveReportSchema = z.object({
  partition,
  epoch,
  ballot: z.int().min(0),
  /** docs/PROTOCOL.md 6.3: the barrier is committed at just this epoch, and all that are not down follow. */
  ready: z.boolean(),
  learners: z.array(
    z.object({
      ordinal,
      /** docs/PROTOCOL.md 6.1: it is within one repair of the leader. */
      caughtUp: z.boolean(),
      bytesDone: z.int().min(0),
      bytesTotal: z.int().min(0),
    }),
  ),
});
export type MoveReport = z.infer<typeof moveReportSchema>;

export const placementContracts = {
  /** From every shard to the coordinators' leader while anything is moved, several times a second by who leads such a partition. */
  reportMoves: messageContract({
    operation: 'reportMoves',
    askers: ['shard'],
    request: z.object({
      ordinal,
      incarnation: z.int().min(1),
      reports: z.array(moveReportSchema),
      /** Since copies from this shard last gave way to users on a crowded machine; null: they never did. */
      quietMs: z.int().min(0).nullable().optional(),
    }),
    response: z.object({}),
    errors: ['UNAVAILABLE', 'NOT_LEADER', 'FORBIDDEN'],
    deadline: 'quick',
  }),
  placement: messageContract({
    operation: 'placement',
    askers: OPERATORS,
    request: z.object({}),
    response: z.object({ shards: z.array(placedShardSchema), plan: planSchema }),
    errors: ['UNAVAILABLE', 'NOT_LEADER'],
    deadline: 'quick',
  }),
  /** The plan as it would be after these commands; nothing is changed. */
  planPlacement: messageContract({
    operation: 'planPlacement',
    askers: OPERATORS,
    request: z.object({ commands: z.array(placementCommandSchema).max(64) }),
    response: z.object({ shards: z.array(placedShardSchema), plan: planSchema }),
    errors: [
      'UNAVAILABLE',
      'NOT_LEADER',
      'SHARD_NOT_FOUND',
      'SHARD_HOLDS_DATA',
      'REPLICATION_AT_RISK',
      'ALREADY_SO',
      'NOTHING_TO_CANCEL',
    ],
    deadline: 'quick',
  }),
  changePlacement: messageContract({
    operation: 'changePlacement',
    askers: OPERATORS,
    request: z.object({
      command: placementCommandSchema,
      /** What a client names: no plan may have it. */
      ifEpoch: z.int().min(0).optional(),
    }),
    response: z.object({ epoch }),
    errors: [
      'UNAVAILABLE',
      'NOT_LEADER',
      'OUTCOME_UNKNOWN',
      'PRECONDITION_FAILED',
      'SHARD_NOT_FOUND',
      'SHARD_HOLDS_DATA',
      'REPLICATION_AT_RISK',
      'ALREADY_SO',
      'NOTHING_TO_CANCEL',
    ],
    deadline: 'commit',
  }),
  /** docs/PROTOCOL.md 6.8: partitions that lost a majority for good go on with what is left. A person's decision. */
  recoverPartitions: messageContract({
    operation: 'recoverPartitions',
    askers: OPERATORS,
    request: z.object({
      /** Shards that are down and never come back, besides those that were replaced. */
      lost: z.array(shard).max(1_024),
      /** What would be done; nothing is. */
      dryRun: z.boolean(),
      ifEpoch: z.int().min(0).optional(),
    }),
    response: z.object({ epoch, partitions: z.array(recoveredPartitionSchema) }),
    errors: [
      'UNAVAILABLE',
      'NOT_LEADER',
      'OUTCOME_UNKNOWN',
      'PRECONDITION_FAILED',
      'SHARD_NOT_FOUND',
      'SHARD_NOT_DOWN',
      'REPLICATION_AT_RISK',
      'NOTHING_TO_RECOVER',
    ],
    deadline: 'commit',
  }),
  /** From a failure detector: all that it doubts, and all that it doubted lately. Who is not among them is alive to it. */
  vote: messageContract({
    operation: 'vote',
    askers: ['failure-detector'],
    request: z.object({
      /** Of the detector's process. */
      instance: z.string(),
      /** Counts up within an instance. */
      sequence: z.int().min(1),
      /** Members that it has not heard yet, and says nothing of, as `shard/shard-1`. */
      unheard: z.array(z.string()),
      votes: z.array(
        voteSchema
          .omit({ detector: true })
          .extend({ service: z.enum(SERVICES), id: z.string(), instance: z.string().nullable() }),
      ),
    }),
    /** Those of the members voted on, as they were when the vote came. */
    response: z.object({ verdicts: z.array(verdictRecordSchema) }),
    errors: ['UNAVAILABLE', 'NOT_LEADER'],
    deadline: 'quick',
  }),
  /** From a shard: the coordinators' leader gives it id and time. */
  reportIncident: messageContract({
    operation: 'reportIncident',
    askers: ['shard'],
    request: incidentSchema.omit({ id: true, at: true }).extend({ kind: z.enum(INCIDENT_KINDS) }),
    response: z.object({ id: z.string() }),
    errors: ['UNAVAILABLE', 'NOT_LEADER', 'OUTCOME_UNKNOWN', 'FORBIDDEN'],
    deadline: 'commit',
  }),
};
export type PlacementOperation = keyof typeof placementContracts;
