/**
 * The custom resource `RingleaderCluster` (`ringleader.io/v1alpha1`): what a user asks for, and what the operator tells.
 * The custom resource definition below k8s/ is generated from here: descriptions are what `kubectl explain` shows.
 *
 * What is required and what is defaulted is chosen so that a line that an owner drops never changes the size of a cluster:
 * `spec`, `spec.shards` and `spec.shards.replicas` are required, the coordinators' replicas cannot be left out once they were
 * other than 3; all parents have defaults, so that rules which compare with the object before cannot be passed by taking a
 * parent out and putting it back. Whoever reads one from the API server parses it with `ringleaderClusterSpecSchema`: that fills
 * in what the API server leaves open.
 */
import { BALANCER_STRATEGIES } from '@ringleader/balancer';
import { z } from 'zod';
import type { RingleaderClusterStatus } from './ringleader-cluster-status.js';

export const CLUSTER_GROUP = 'ringleader.io';
export const CLUSTER_VERSION = 'v1alpha1';
export const CLUSTER_API_VERSION = `${CLUSTER_GROUP}/${CLUSTER_VERSION}`;
export const CLUSTER_KIND = 'RingleaderCluster';
export const CLUSTER_PLURAL = 'ringleaderclusters';

/** Of a field with a default that the operator knows, and the API server shall not write down. */
export const OPERATOR_DEFAULT = 'x-ringleader-operator-default';
const NO_DEFAULT = { [OPERATOR_DEFAULT]: true };

/** Rules in the Common Expression Language, which the API server checks. */
const rules = (...list: readonly (readonly [rule: string, message: string])[]): Record<string, unknown> => ({
  'x-kubernetes-validations': list.map(([rule, message]) => ({ rule, message })),
});

/** As Kubernetes takes them: `cpu: 2` is as good as `cpu: "2"`. */
const quantitiesSchema = z
  .record(
    z.string(),
    z
      .union([z.string(), z.int()])
      .transform(String)
      .describe('A quantity, as in 500m or 2Gi.')
      .meta({ 'x-kubernetes-int-or-string': true }),
  )
  .meta({
    maxProperties: 8,
    ...rules([
      "self.all(name, type(self[name]) == int ? int(self[name]) >= 0 : isQuantity(string(self[name])) && !string(self[name]).startsWith('-'))",
      'must be quantities, as in 500m or 2Gi',
    ]),
  });
const texts = (max: number) =>
  z.record(z.string(), z.string().max(4_096).describe('As text.')).meta({ maxProperties: max });

const resourcesSchema = z
  .object({
    requests: quantitiesSchema.optional().describe('As in a container: cpu, memory.'),
    limits: quantitiesSchema
      .optional()
      .describe(
        'As in a container. Leave the limit of cpu out where latency counts; memory: as the request.',
      ),
  })
  .describe('What each container of the service asks for.');
/** Letters that certificates hold: a name of others is written in those (xn--...), and there is no port. */
const HOST_PATTERN =
  /^((\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$/;
/** Of an object of the namespace. What is not there is left out: an empty text is nobody's name. */
const nameSchema = z.string().min(1).max(253);
/** Twice the same is refused, as pods would be in which it stood; with server-side apply each owner has entries of its own. */
const SET = { 'x-kubernetes-list-type': 'set' };
/** Of an image, as a container names it. */
const imageSchema = z.string().min(1).max(512);

const storageSchema = z
  .object({
    size: z
      .string()
      .max(20)
      .default('10Gi')
      .describe('Of each volume, as in 10Gi; it can grow, never shrink.')
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
      .describe('Absent: the default class of Kubernetes; empty: none, as in a claim. Cannot change.'),
  })
  .meta(
    rules([
      'has(self.storageClassName) == has(oldSelf.storageClassName) && (!has(self.storageClassName) || self.storageClassName == oldSelf.storageClassName)',
      'storageClassName cannot change',
    ]),
  );

/** Absent is 3. That is no default of the API server: with one, a line that is dropped would make three of five, unasked. */
const coordinatorsSchema = z
  .object({
    replicas: z
      .int()
      .min(1)
      .max(5)
      .default(3)
      .describe(
        'Members of the Raft group: 1, 3 or 5, two more or fewer at a time; absent: 3. Changes go through learners and joint consensus, one after the other.',
      )
      .meta({
        ...NO_DEFAULT,
        ...rules(['self in [1, 3, 5]', 'must be 1, 3 or 5']),
      }),
    resources: resourcesSchema.optional(),
    storage: storageSchema.prefault({}).describe('Of the logs.'),
  })
  .describe('They keep the cluster’s metadata: who is a member, who has which partition, leases and locks.')
  .meta(
    rules(
      [
        'has(self.replicas) || !has(oldSelf.replicas) || oldSelf.replicas == 3',
        'replicas cannot be left out again: that would change how many there are; say 3',
      ],
      [
        '(has(self.replicas) ? self.replicas : 3) - (has(oldSelf.replicas) ? oldSelf.replicas : 3) <= 2 && (has(oldSelf.replicas) ? oldSelf.replicas : 3) - (has(self.replicas) ? self.replicas : 3) <= 2',
        'replicas can change by two at a time',
      ],
    ),
  );

const postgresSchema = z.object({
  image: imageSchema
    .optional()
    .describe(
      'Any stock PostgreSQL from 15 to 18. Absent: the one that the operator was tested with when the cluster was made (status.images).',
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
    .record(z.string(), z.string().max(4_096).describe('As in postgresql.conf, without quotes.'))
    .default({})
    .describe('Further settings of postgresql.conf. What durability rests on cannot be set.')
    .meta({
      maxProperties: 64,
      ...rules(
        [
          "!['fsync', 'full_page_writes', 'synchronous_commit', 'zero_damaged_pages', 'ignore_checksum_failure', 'ignore_invalid_pages', 'data_sync_retry', 'listen_addresses', 'port', 'unix_socket_directories', 'config_file', 'hba_file', 'ident_file', 'data_directory'].exists(name, name in self)",
          'what durability and access rest on is the operator’s: fsync, full_page_writes, synchronous_commit, zero_damaged_pages, ignore_checksum_failure, ignore_invalid_pages, data_sync_retry, listen_addresses, port, unix_socket_directories, config_file, hba_file, ident_file and data_directory',
        ],
        [
          "self.all(name, name.matches('^[a-z_][a-z0-9_]*([.][a-z_][a-z0-9_]*)?$') && !name.startsWith('include'))",
          'must be names of settings, in small letters',
        ],
      ),
    }),
  resources: resourcesSchema.optional(),
});

const shardsSchema = z
  .object({
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
      .min(1)
      .max(317)
      .optional()
      .describe(
        'A label of nodes, as topology.kubernetes.io/zone: replicas of a partition go to distinct zones while there are enough.',
      ),
    postgres: postgresSchema
      .prefault({})
      .describe('The database beside each shard, on a socket, reached by nobody else.'),
  })
  .describe('They keep what users write, each with a PostgreSQL of its own.');

const gatewaysSchema = z
  .object({
    replicas: z.int().min(0).max(256).default(2).describe('Gateways: stateless.'),
    balancing: z
      .enum(BALANCER_STRATEGIES)
      .default('power-of-two-choices')
      .describe('How a replica is picked for what any replica may serve.'),
    hosts: z
      .array(z.string().max(255).regex(HOST_PATTERN).describe('A name or an address, as in kv.example.com.'))
      .max(64)
      .default([])
      .meta(SET)
      .describe('Names by which clients reach the gateways, besides those of the Service.'),
    service: z
      .object({
        type: z
          .enum(['ClusterIP', 'NodePort', 'LoadBalancer'])
          .default('ClusterIP')
          .describe('ClusterIP: from within. LoadBalancer: from outside, where the cloud has one.'),
        annotations: texts(64).default({}).describe('As clouds want them on Services of type LoadBalancer.'),
        nodePort: z.int().min(1).max(65_535).optional().describe('Of type NodePort; absent: a free one.'),
      })
      .prefault({})
      .describe('How clients reach them.'),
    resources: resourcesSchema.optional(),
  })
  .describe('What clients talk to.');

const natsSchema = z
  .object({
    managed: z
      .object({
        replicas: z
          .int()
          .min(1)
          .max(3)
          .default(3)
          .describe('Servers: 1 or 3.')
          .meta(rules(['self in [1, 3]', 'must be 1 or 3'])),
        image: imageSchema
          .optional()
          .describe('Any stock nats-server, 2.9 or newer. Absent: as with PostgreSQL.'),
        resources: resourcesSchema.optional(),
      })
      .optional()
      .describe('Servers that the operator runs: the default.'),
    external: z
      .object({
        servers: z
          .array(z.string().min(1).max(300).describe('An address, as in tls://nats.example.com:4222.'))
          .min(1)
          .max(9)
          .meta(SET)
          .describe('Where they listen: all of one NATS, which cannot be exchanged for another.'),
        credentialsSecret: nameSchema.describe(
          'The name of a Secret of the namespace with a file SERVICE.nk (seed of an nkey) for each service, and perhaps ca.crt.',
        ),
      })
      .optional()
      .describe('Servers that are there already. Whether there are such cannot change.'),
  })
  .meta(
    rules(
      ['!(has(self.managed) && has(self.external))', 'either managed or external, not both'],
      // Services at one NATS do not hear those at the other: no order of rolling pods keeps a majority of anything.
      [
        'has(self.external) == has(oldSelf.external)',
        'a cluster cannot go from managed to external or back: delete it with deletionPolicy Retain, and apply it anew',
      ],
    ),
  );

const securitySchema = z.object({
  gateway: z
    .object({
      tls: z
        .object({
          enabled: z.boolean().default(true).describe('False: plain HTTP.'),
          secretName: nameSchema
            .optional()
            .describe(
              'A Secret of type kubernetes.io/tls for the gateways. Absent: one that the operator issues and renews.',
            ),
        })
        .prefault({})
        .describe('HTTPS at the gateways.'),
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
    .prefault({})
    .describe('Who may do what at the gateways.'),
  networkPolicies: z.boolean().default(true).describe('Default deny, and what the services need.'),
  certificateIssuer: z
    .object({
      name: nameSchema.describe('Of the issuer.'),
      kind: z
        .enum(['Issuer', 'ClusterIssuer'])
        .default('Issuer')
        .describe('Issuer: one of this namespace. ClusterIssuer: one for all.'),
      group: nameSchema.default('cert-manager.io').describe('Of an issuer from elsewhere.'),
    })
    .optional()
    .describe('An issuer of cert-manager. Absent: the operator is its own authority.'),
});

const unchangeable = rules(['self == oldSelf', 'cannot change']);

export const ringleaderClusterSpecSchema = z
  .object({
    partitions: z
      .int()
      .min(16)
      .max(16_384)
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
      .object({
        replicas: z
          .int()
          .min(1)
          .max(9)
          .default(3)
          .describe('A majority of them makes a verdict: two of three.'),
        resources: resourcesSchema.optional(),
      })
      .prefault({})
      .describe('They tell who is down.'),
    nats: natsSchema.prefault({}).describe('What carries all messages; nothing is kept in it.'),
    images: z
      .object({
        ringleader: imageSchema
          .optional()
          .describe(
            'Of all services. Absent: that of the operator which made the cluster; a newer operator changes nothing until it is asked to by the annotation ringleader.io/choose-images.',
          ),
        pullPolicy: z
          .enum(['Always', 'IfNotPresent', 'Never'])
          .default('IfNotPresent')
          .describe('As in a container, for all images.'),
        pullSecrets: z
          .array(nameSchema.describe('The name of a Secret of the namespace.'))
          .max(16)
          .default([])
          .meta(SET)
          .describe('For registries that ask who pulls.'),
      })
      .prefault({})
      .describe('What runs in the pods.'),
    security: securitySchema
      .prefault({})
      .describe('Who may reach what. All of it is on unless said otherwise.'),
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
/** Of the whole object. What is made has names that begin with its name, and must be names of Services. */
export const CLUSTER_RULES = rules([
  "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$')",
  'metadata.name must have at most 40 small letters, digits and hyphens, begin with a letter, and not end with a hyphen',
]);
export type RingleaderClusterSpec = z.infer<typeof ringleaderClusterSpecSchema>;

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
