/** /v1/cluster/shards, /plan, /moves, /where, /partitions, /incidents, /events: what clients send, and get back. */
import { z } from 'zod';
import {
  placedShardSchema,
  placementCommandSchema,
  plannedMoveSchema,
  recoveredPartitionSchema,
} from '../control/placement.js';
import { planSchema } from '../control/placement.js';
import { verificationSchema } from '../control/verification.js';
import { incidentSchema, placementLimitsSchema } from '../metadata/placement-metadata.js';
import { SERVICES } from '../metadata/cluster-metadata.js';
import { loadSchema } from '../telemetry/heartbeat.js';
import { clusterViewSchema } from './cluster.js';

export const shardListSchema = z.object({ items: z.array(placedShardSchema) }).meta({ id: 'ShardList' });
export type ShardList = z.infer<typeof shardListSchema>;

export const moveListSchema = z
  .object({
    items: z.array(plannedMoveSchema).describe('Under way first, then planned; empty when none is.'),
  })
  .meta({ id: 'MoveList' });
export type MoveList = z.infer<typeof moveListSchema>;

export const incidentListSchema = z
  .object({ items: z.array(incidentSchema).describe('The newest first, at most a hundred.') })
  .meta({ id: 'IncidentList' });
export type IncidentList = z.infer<typeof incidentListSchema>;

export const planEpochSchema = z
  .object({ epoch: z.int().describe('Of the plan, as it is now.') })
  .meta({ id: 'PlanEpoch' });
export type PlanEpoch = z.infer<typeof planEpochSchema>;

const { weight } = placementCommandSchema.options[3].shape;
export const shardPatchSchema = z
  .strictObject({ weight: weight.describe('In relation to those of the others.') })
  .meta({ id: 'ShardPatch' });

const limitsPatchSchema = z
  .strictObject(placementLimitsSchema.partial().shape)
  .refine((limits) => Object.keys(limits).length > 0, 'names no limit')
  .meta({ minProperties: 1 });
export const planPatchSchema = z.strictObject({ limits: limitsPatchSchema }).meta({ id: 'PlanPatch' });

export const cancelRequestSchema = z
  .strictObject({
    partition: z.int().min(0).max(16_383).optional().describe('Absent: all, after which moves are paused.'),
  })
  .meta({ id: 'CancelRequest' });

export const recoverRequestSchema = z
  .strictObject({
    lost: z
      .array(z.string().min(1))
      .max(1_024)
      .default([])
      .describe('Shards that are down and never come back. Those that were replaced are lost already.'),
    dryRun: z.boolean().default(false).describe('Tells what would be done, and does nothing.'),
    acceptDataLoss: z
      .boolean()
      .default(false)
      .describe('True, or it is not done: what only lost shards had is lost with them.'),
  })
  .refine(({ dryRun, acceptDataLoss }) => dryRun || acceptDataLoss, {
    path: ['acceptDataLoss'],
    error: 'must be true, since what only the lost shards had is lost; dryRun shows what would be done',
  })
  .meta({ id: 'RecoverRequest' });
export const recoverySchema = z
  .object({
    epoch: z.int().describe('Of the plan, as it is now.'),
    partitions: z.array(recoveredPartitionSchema).describe('Those that go on with what is left of them.'),
  })
  .meta({ id: 'Recovery' });
export type RecoveryView = z.infer<typeof recoverySchema>;

const [drain, undrain, remove, setWeight, pause, resume, cancel] = placementCommandSchema.options;
/** Who comes by a gateway is a person. */
const person = <Kind extends z.ZodLiteral>({ shape }: z.ZodObject<{ kind: Kind }>) =>
  z.strictObject({ kind: shape.kind });
export const dryRunRequestSchema = z
  .strictObject({
    commands: z
      .array(
        z.discriminatedUnion('kind', [
          ...([drain.strict(), undrain.strict(), remove.strict(), setWeight.strict()] as const),
          ...([person(pause), person(resume), cancel.strict()] as const),
          z.strictObject({ kind: z.literal('limits'), limits: limitsPatchSchema }),
        ]),
      )
      .max(64)
      .default([])
      .describe('In this order; none: the plan as it is.'),
  })
  .meta({ id: 'DryRunRequest' });

export const dryRunSchema = z
  .object({ shards: z.array(placedShardSchema), plan: planSchema })
  .meta({ id: 'DryRun' });
export type DryRun = z.infer<typeof dryRunSchema>;

export const verificationStateSchema = z
  .object({ verification: verificationSchema.nullable().describe('The last one; null before the first.') })
  .meta({ id: 'VerificationState' });
export type VerificationState = z.infer<typeof verificationStateSchema>;

/** Of what needs no word. */
export const emptyRequestSchema = z.strictObject({});

const place = {
  partition: z.int(),
  epoch: z.int().describe('Of the partition’s entry in the map.'),
  replicas: z.array(z.string()).describe('Names of shards.'),
  nextReplicas: z
    .array(z.string())
    .nullable()
    .describe('While replicas are exchanged: both sets decide. Else null.'),
  learners: z.array(z.string()).describe('Those that copy it, and do not decide yet.'),
  leader: z.string().nullable().describe('Who announces to lead it; null when nobody does.'),
  preferredLeader: z.string().describe('Who is to lead it, by the map.'),
};
export const partitionViewSchema = z.object(place).meta({ id: 'Partition' });
export type PartitionView = z.infer<typeof partitionViewSchema>;
export const partitionListSchema = z
  .object({ items: z.array(partitionViewSchema).describe('By partition, all of them.') })
  .meta({ id: 'PartitionList' });
export type PartitionList = z.infer<typeof partitionListSchema>;
export const keyPlaceSchema = z.object({ key: z.string(), ...place }).meta({ id: 'KeyPlace' });
export type KeyPlace = z.infer<typeof keyPlaceSchema>;

/** What is sent by GET /v1/cluster/events, by the name of the event. Each one is the whole present state. */
const { members, coordinator } = clusterViewSchema.shape;
export const clusterEventSchema = clusterViewSchema
  .extend({
    members: z.array(members.element.omit({ load: true, phi: true })),
    coordinator: coordinator.extend({
      members: z.array(coordinator.shape.members.element.omit({ match: true })),
    }),
  })
  .meta({ id: 'ClusterEvent', description: 'The cluster, but for what always changes.' });
export type ClusterEvent = z.infer<typeof clusterEventSchema>;

export const movesEventSchema = planSchema
  .extend({ shards: z.array(placedShardSchema) })
  .meta({ id: 'MovesEvent', description: 'The plan, with its moves, and the shards.' });
export type MovesEvent = z.infer<typeof movesEventSchema>;

const requestsSchema = z.object({
  perSecond: z.number().describe('Below /v1/kv, at this gateway.'),
  latencyMsP50: z.number().nullable().describe('Null when there was none.'),
  latencyMsP99: z.number().nullable(),
});
export const loadEventSchema = z
  .object({
    at: z.iso.datetime(),
    requests: requestsSchema.describe('Since the event before; of five seconds of late where nobody looked.'),
    members: z.array(
      z.object({
        service: z.enum(SERVICES),
        id: z.string(),
        phi: z.number().nullable(),
        load: loadSchema.nullable(),
      }),
    ),
  })
  .meta({ id: 'LoadEvent' });
export type LoadEvent = z.infer<typeof loadEventSchema>;

export const loadHistorySchema = z
  .object({
    items: z
      .array(requestsSchema.extend({ at: z.iso.datetime().describe('When these five seconds were over.') }))
      .describe('Of the last ten minutes, the oldest first.'),
  })
  .meta({ id: 'LoadHistory' });
export type LoadHistoryView = z.infer<typeof loadHistorySchema>;
