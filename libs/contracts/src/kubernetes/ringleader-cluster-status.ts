/** What the operator tells of a cluster, in the status of its `RingleaderCluster`. */
import { z } from 'zod';

const count = (description: string): z.ZodInt => z.int().min(0).describe(description);
const text = (description: string): z.ZodString => z.string().describe(description);

export const CONDITION_TYPES = ['Available', 'Progressing', 'Degraded', 'Quorate', 'Rebalancing'] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];
export const conditionSchema = z
  .object({
    type: z
      .enum(CONDITION_TYPES)
      .describe(
        'Available: it serves. Progressing: the operator is changing it. Degraded: something is wrong that it cannot mend alone. Quorate: the coordinators have a majority. Rebalancing: partitions move.',
      ),
    status: z.enum(['True', 'False', 'Unknown']).describe('Whether it is so.'),
    reason: z
      .string()
      .min(1)
      .max(1_024)
      .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
      .describe('In one word, for programs.'),
    message: z.string().max(32_768).describe('In a sentence, for people.'),
    observedGeneration: count('Of the specification that this is about.'),
    lastTransitionTime: z.iso.datetime().describe('When the status changed last.'),
  })
  .describe('One of the facts that `kubectl wait --for=condition=...` waits for.');
export type Condition = z.infer<typeof conditionSchema>;

export const clusterMemberStatusSchema = z
  .object({
    name: text('As in shard-1.'),
    role: z
      .enum(['leader', 'voter', 'learner', 'shard', 'gateway', 'failure-detector', 'nats'])
      .describe('What it is; leader, voter and learner are coordinators.'),
    pod: text('Its pod.'),
    ready: z.boolean().describe('Whether the pod is.'),
    version: text('Of the process; empty while it is not registered.'),
    verdict: z
      .enum(['alive', 'suspect', 'down', 'unknown'])
      .describe('Of the failure detectors; unknown while nobody can be asked.'),
    state: text('Of a shard: joining, active, draining, drained, replaced. Else empty.'),
    partitions: count('Of a shard: replicas that it holds.'),
    leaders: count('Of a shard: partitions that it is to lead.'),
  })
  .describe('A process of the cluster.');
export type ClusterMemberStatus = z.infer<typeof clusterMemberStatusSchema>;

const there = { replicas: count('That there are.'), readyReplicas: count('That are ready.') };

export const ringleaderClusterStatusSchema = z
  .object({
    observedGeneration: count('Of the specification that all of this is about.'),
    conditions: z
      .array(conditionSchema)
      .max(16)
      .describe('What is so and what is not.')
      .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] }),
    version: text('That all services have; while they differ, the oldest.'),
    images: z
      .object({
        ringleader: text('Of all services.'),
        postgres: text('Of the databases.'),
        nats: text('Of the servers of NATS.'),
        chosenAt: z.iso.datetime().describe('When they were chosen.'),
      })
      .describe(
        'What is run where the specification names no image: the operator’s own when the cluster was made, or what ran everywhere since.',
      ),
    leader: text('Of the coordinators.'),
    ready: text('Pods that are ready, of all that there should be, as in 14/14.'),
    phase: text('What the operator is about, in a word or two.'),
    clusterId: text('Drawn when the cluster was founded; two of one name differ in it.'),
    coordinators: z
      .object({ ...there, founded: z.boolean().describe('Whether the group was founded: once for ever.') })
      .describe('The coordinators.'),
    shards: z
      .object({ ...there, selector: text('Of their pods, as text: what /scale needs.') })
      .describe('The shards.'),
    gateways: z.object(there).describe('The gateways.'),
    members: z.array(clusterMemberStatusSchema).max(2_048).describe('All processes.'),
    moves: z
      .object({
        underWay: count('Partitions whose replicas are being exchanged.'),
        planned: count('Partitions that are still to be moved.'),
        bytesLeft: count('About what is still to be copied.'),
        paused: z.boolean().describe('Whether moves are paused, by whomever.'),
        blocked: text('Why nothing moves; empty when something can.'),
      })
      .describe('Partitions on their way to other shards.'),
  })
  .partial();
export type RingleaderClusterStatus = z.infer<typeof ringleaderClusterStatusSchema>;
