/**
 * The custom resource `RingleaderCluster` (`ringleader.io/v1alpha1`): what a user asks for, and what the operator tells.
 * The custom resource definition below k8s/ is generated from here: descriptions are what `kubectl explain` shows.
 *
 * What is required and what is defaulted is chosen so that a line that an owner drops never changes the size of a cluster:
 * `spec`, `spec.shards` and `spec.shards.replicas` are required; all parents have defaults, so that rules which compare with
 * the object before cannot be passed by taking a parent out and putting it back.
 */
import { BALANCER_STRATEGIES } from '@ringleader/balancer';
import { z } from 'zod';

export const CLUSTER_GROUP = 'ringleader.io';
export const CLUSTER_VERSION = 'v1alpha1';
export const CLUSTER_API_VERSION = `${CLUSTER_GROUP}/${CLUSTER_VERSION}`;
export const CLUSTER_KIND = 'RingleaderCluster';
export const CLUSTER_PLURAL = 'ringleaderclusters';
/** Of the cluster, in its metadata: while it is there, the operator changes nothing. */
export const PAUSED_ANNOTATION = 'ringleader.io/paused';
/** Of the namespace: whoever must, may change owned StatefulSets by hand. */
export const BREAK_GLASS_ANNOTATION = 'ringleader.io/break-glass';

/** Rules in the Common Expression Language, which the API server checks. */
const rules = (...list: readonly (readonly [rule: string, message: string])[]): Record<string, unknown> => ({
  'x-kubernetes-validations': list.map(([rule, message]) => ({ rule, message })),
});

const quantity = (description: string): z.ZodString => z.string().max(20).describe(description);

const resourcesSchema = z
  .object({
    requests: z.record(z.string(), z.string()).optional().describe('As in a container: cpu, memory.'),
    limits: z
      .record(z.string(), z.string())
      .optional()
      .describe(
        'As in a container. Leave the limit of cpu out where latency counts; memory: as the request.',
      ),
  })
  .describe('What each container of the service asks for.');

const storageSchema = z
  .object({
    size: quantity('Of each volume, as in 10Gi; it can grow, never shrink.')
      .default('10Gi')
      .meta(
        rules(
          [
            "isQuantity(self) && quantity(self).compareTo(quantity('1Gi')) >= 0 && quantity(self).compareTo(quantity('64Ti')) <= 0",
            'must be a quantity from 1Gi to 64Ti',
          ],
          ['!isQuantity(self) || quantity(self).compareTo(quantity(oldSelf)) >= 0', 'a volume cannot shrink'],
        ),
      ),
    storageClassName: z
      .string()
      .max(253)
      .optional()
      .describe('Absent: the cluster’s default class. Cannot change.'),
  })
  .meta(
    rules([
      'has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)',
      'storageClassName cannot change',
    ]),
  );

const coordinatorsSchema = z.object({
  replicas: z
    .int()
    .default(3)
    .describe(
      'Members of the Raft group: 1, 3 or 5. Changes go through learners and joint consensus, one after the other.',
    )
    .meta(
      rules(
        ['self in [1, 3, 5]', 'must be 1, 3 or 5'],
        ['self - oldSelf <= 2 && oldSelf - self <= 2', 'can change by two at a time'],
      ),
    ),
  resources: resourcesSchema.optional(),
  storage: storageSchema.prefault({}).describe('Of the logs.'),
});

const postgresSchema = z.object({
  image: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Any stock PostgreSQL from 15 to 18. Absent: the one that this version of the operator was tested with.',
    ),
  userId: z
    .int()
    .min(1)
    .max(65_535)
    .default(999)
    .describe(
      'Of the user `postgres` in that image: 999 in the official ones based on Debian, 70 in those on Alpine.',
    ),
  settings: z
    .record(z.string(), z.string())
    .default({})
    .describe('Further settings of postgresql.conf. What durability rests on cannot be set.')
    .meta(
      rules([
        "!['fsync', 'full_page_writes', 'synchronous_commit', 'listen_addresses', 'unix_socket_directories', 'hba_file', 'data_directory'].exists(name, name in self)",
        'fsync, full_page_writes, synchronous_commit, listen_addresses, unix_socket_directories, hba_file and data_directory are the operator’s',
      ]),
    ),
  resources: resourcesSchema.optional(),
});

const shardsSchema = z.object({
  replicas: z
    .int()
    .min(1)
    .max(1_024)
    .describe(
      'Shards. More: partitions move to them. Fewer: the last ones are drained first, and their volumes deleted after.',
    ),
  resources: resourcesSchema.optional(),
  storage: storageSchema.prefault({}).describe('Of the databases.'),
  zoneTopologyKey: z
    .string()
    .max(317)
    .optional()
    .describe(
      'A label of nodes, as topology.kubernetes.io/zone: replicas of a partition go to distinct zones while there are enough.',
    ),
  postgres: postgresSchema
    .prefault({})
    .describe('The database beside each shard, on a socket, reached by nobody else.'),
});

const gatewaysSchema = z.object({
  replicas: z.int().min(0).max(256).default(2).describe('Gateways: stateless.'),
  balancing: z
    .enum(BALANCER_STRATEGIES)
    .default('power-of-two-choices')
    .describe('How a replica is picked for what any replica may serve.'),
  hosts: z
    .array(z.string().max(255))
    .max(64)
    .default([])
    .describe('Names by which clients reach the gateways, besides those of the Service.'),
  service: z
    .object({
      type: z.enum(['ClusterIP', 'NodePort', 'LoadBalancer']).default('ClusterIP'),
      annotations: z.record(z.string(), z.string()).default({}),
      nodePort: z.int().min(1).max(65_535).optional().describe('Of type NodePort; absent: a free one.'),
    })
    .prefault({})
    .describe('How clients reach them.'),
  resources: resourcesSchema.optional(),
});

const natsSchema = z
  .object({
    managed: z
      .object({
        replicas: z
          .int()
          .default(3)
          .describe('Servers: 1 or 3.')
          .meta(rules(['self in [1, 3]', 'must be 1 or 3'])),
        image: z.string().min(1).optional().describe('Any stock nats-server, 2.9 or newer.'),
        resources: resourcesSchema.optional(),
      })
      .optional()
      .describe('Servers that the operator runs: the default.'),
    external: z
      .object({
        servers: z.array(z.string().max(300)).min(1).max(9).describe('As in tls://nats.example.com:4222.'),
        credentialsSecret: z
          .string()
          .max(253)
          .describe(
            'A Secret of the namespace with a file SERVICE.nk (seed of an nkey) for each service, and perhaps ca.crt.',
          ),
      })
      .optional()
      .describe('Servers that are there already.'),
  })
  .meta(rules(['!(has(self.managed) && has(self.external))', 'either managed or external, not both']));

const securitySchema = z.object({
  gateway: z
    .object({
      tls: z
        .object({
          enabled: z.boolean().default(true).describe('False: plain HTTP.'),
          secretName: z
            .string()
            .max(253)
            .optional()
            .describe(
              'A Secret of type kubernetes.io/tls for the gateways. Absent: one that the operator issues and renews.',
            ),
        })
        .prefault({}),
      authentication: z
        .boolean()
        .default(true)
        .describe(
          'False: whoever reaches a gateway may do anything. True: bearer tokens; that of the administrator is in the Secret NAME-root-token.',
        ),
      serviceAccountTokens: z
        .boolean()
        .default(false)
        .describe('Whether tokens of ServiceAccounts are accepted too, by TokenReview.'),
    })
    .prefault({}),
  networkPolicies: z.boolean().default(true).describe('Default deny, and what the services need.'),
  certificateIssuer: z
    .object({
      name: z.string().max(253),
      kind: z.enum(['Issuer', 'ClusterIssuer']).default('Issuer'),
      group: z.string().max(253).default('cert-manager.io'),
    })
    .optional()
    .describe('An issuer of cert-manager. Absent: the operator is its own authority.'),
});

const unchangeable = rules(['self == oldSelf', 'cannot change']);

export const ringleaderClusterSpecSchema = z
  .object({
    partitions: z
      .int()
      .default(256)
      .describe(
        'Parts of the key space, a power of two from 16 to 16384: some 32 for each shard ever expected. Cannot change.',
      )
      .meta(
        rules(
          [
            'self in [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]',
            'must be a power of two from 16 to 16384',
          ],
          ['self == oldSelf', 'cannot change'],
        ),
      ),
    replicationFactor: z
      .int()
      .min(1)
      .max(7)
      .default(3)
      .describe('Replicas of each partition. Cannot change.')
      .meta(unchangeable),
    coordinators: coordinatorsSchema.prefault({}),
    shards: shardsSchema,
    gateways: gatewaysSchema.prefault({}),
    failureDetectors: z
      .object({ replicas: z.int().min(1).max(9).default(3), resources: resourcesSchema.optional() })
      .prefault({})
      .describe('Two of three make a verdict.'),
    nats: natsSchema.prefault({}).describe('What carries all messages; nothing is kept in it.'),
    images: z
      .object({
        ringleader: z
          .string()
          .min(1)
          .optional()
          .describe('Of all services. Absent: that of the operator’s own version.'),
        pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
        pullSecrets: z.array(z.string().max(253)).max(16).default([]),
      })
      .prefault({}),
    security: securitySchema.prefault({}),
    deletionPolicy: z
      .enum(['Retain', 'Delete'])
      .default('Retain')
      .describe(
        'What becomes of volumes and secrets when the cluster is deleted. A scale-in always deletes the volume that was drained.',
      ),
  })
  .meta(
    rules([
      'self.shards.replicas >= self.replicationFactor',
      'shards.replicas must not be below replicationFactor',
    ]),
  );
export type RingleaderClusterSpec = z.infer<typeof ringleaderClusterSpecSchema>;

export const CONDITION_TYPES = ['Available', 'Progressing', 'Degraded', 'Quorate', 'Rebalancing'] as const;
export type ConditionType = (typeof CONDITION_TYPES)[number];
export const conditionSchema = z.object({
  type: z.enum(CONDITION_TYPES),
  status: z.enum(['True', 'False', 'Unknown']),
  reason: z
    .string()
    .min(1)
    .max(1_024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/),
  message: z.string().max(32_768),
  observedGeneration: z.int().min(0),
  lastTransitionTime: z.iso.datetime(),
});
export type Condition = z.infer<typeof conditionSchema>;

export const clusterMemberStatusSchema = z.object({
  name: z.string().describe('As in shard-1.'),
  role: z.enum(['leader', 'voter', 'learner', 'shard', 'gateway', 'failure-detector', 'nats']),
  pod: z.string(),
  ready: z.boolean(),
  version: z.string().describe('Of the process; empty while it is not registered.'),
  verdict: z.enum(['alive', 'suspect', 'down', 'unknown']),
  state: z.string().describe('Of a shard: joining, active, draining, drained, replaced. Else empty.'),
  partitions: z.int().describe('Of a shard: replicas that it holds.'),
  leaders: z.int().describe('Of a shard: partitions that it is to lead.'),
});
export type ClusterMemberStatus = z.infer<typeof clusterMemberStatusSchema>;

export const ringleaderClusterStatusSchema = z
  .object({
    observedGeneration: z.int().min(0),
    conditions: z.array(conditionSchema),
    version: z.string().describe('That all services have; while they differ, the oldest.'),
    leader: z.string().describe('Of the coordinators.'),
    ready: z.string().describe('Pods that are ready, of all that there should be, as in 14/14.'),
    phase: z.string().describe('What the operator is about, in a word or two.'),
    clusterId: z.string(),
    coordinators: z.object({ replicas: z.int(), readyReplicas: z.int(), founded: z.boolean() }),
    shards: z.object({
      replicas: z.int().describe('That there are.'),
      readyReplicas: z.int(),
      selector: z.string().describe('Of their pods, as text: what /scale needs.'),
    }),
    gateways: z.object({ replicas: z.int(), readyReplicas: z.int() }),
    members: z.array(clusterMemberStatusSchema),
    moves: z.object({
      underWay: z.int(),
      planned: z.int(),
      bytesLeft: z.int(),
      paused: z.boolean(),
      blocked: z.string().describe('Why nothing moves; empty when something can.'),
    }),
  })
  .partial();
export type RingleaderClusterStatus = z.infer<typeof ringleaderClusterStatusSchema>;

export interface RingleaderCluster {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly generation: number;
    readonly resourceVersion: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: RingleaderClusterSpec;
  readonly status?: RingleaderClusterStatus;
}
