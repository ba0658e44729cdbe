/** GET /v1/cluster: what the gateway knows of the whole. */
import { z } from 'zod';
import { coordinatorMemberSchema } from '../control/coordinator-members.js';
import { SERVICES } from '../metadata/cluster-metadata.js';
import { SHARD_STATES, voteSchema } from '../metadata/placement-metadata.js';
import { loadSchema, verdictSchema } from '../telemetry/heartbeat.js';

export const healthSchema = z.enum(['healthy', 'degraded', 'unavailable']).meta({ id: 'Health' });
export type Health = z.infer<typeof healthSchema>;

export const memberViewSchema = z
  .object({
    service: z.enum(SERVICES),
    id: z.string(),
    address: z.string().describe('Where its probes answer, or empty.'),
    version: z.string(),
    startedAt: z.iso.datetime(),
    state: z.enum(['starting', 'joining', 'serving', 'stopping']),
    verdict: verdictSchema.describe('What most failure detectors say; unknown while none reports.'),
    verdictSince: z.iso.datetime().nullable().describe('Null for a member that was never doubted.'),
    evidence: z.array(voteSchema).describe('The votes that made the verdict: empty for one never doubted.'),
    phi: z
      .number()
      .nullable()
      .describe('The median suspicion level of the failure detectors; null when none reports.'),
    load: loadSchema.nullable().describe('Of its last heartbeat; null when none was heard lately.'),
  })
  .meta({ id: 'Member' });
export type MemberView = z.infer<typeof memberViewSchema>;

export const shardViewSchema = z
  .object({
    shard: z.string(),
    ordinal: z.int(),
    zone: z.string(),
    state: z.enum(SHARD_STATES).nullable().describe('Null while it has no place yet.'),
    replicas: z.int().describe('Partitions that it holds a replica of.'),
    leaders: z.int().describe('Partitions that it leads.'),
  })
  .meta({ id: 'ShardSummary' });
export type ShardView = z.infer<typeof shardViewSchema>;

export const clusterViewSchema = z
  .object({
    id: z
      .string()
      .nullable()
      .describe('Given when the cluster was created; null while no coordinator has answered.'),
    name: z.string(),
    health: healthSchema,
    reasons: z.array(z.string()).describe('Why it is not healthy; empty when it is.'),
    members: z.array(memberViewSchema),
    coordinator: z
      .object({
        leader: z.string().nullable().describe('The member that leads, as far as is known.'),
        term: z.int().nullable(),
        joint: z.boolean().describe('A change of it is under way: joint, or not committed yet.'),
        members: z
          .array(coordinatorMemberSchema)
          .describe('As the leader knows them; empty while none answers.'),
      })
      .describe('The Raft group of the coordinators.'),
    partitionMap: z
      .object({
        epoch: z.int().describe('The highest epoch of a partition; 0 before the first map.'),
        partitions: z.int(),
        replicationFactor: z.int(),
        withoutLeader: z.int().describe('Partitions that nobody announces to lead.'),
        withoutMajority: z.int().describe('Those of them that too few replicas are left of.'),
        shards: z.array(shardViewSchema),
      })
      .meta({ id: 'PartitionMapSummary' }),
  })
  .meta({ id: 'Cluster' });
export type ClusterView = z.infer<typeof clusterViewSchema>;

export const livenessSchema = z.object({ status: z.literal('ok') }).meta({ id: 'Liveness' });
export const readinessSchema = z
  .object({ ready: z.boolean(), reasons: z.array(z.string()) })
  .meta({ id: 'Readiness' });
