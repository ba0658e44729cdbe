/**
 * The cluster's own metadata: ordinary keys of the coordinator's store, below `/ringleader/`, with JSON values.
 */
import { z } from 'zod';

export const METADATA_PREFIX = '/ringleader/';

export const SERVICES = ['coordinator', 'shard', 'gateway', 'failure-detector', 'operator'] as const;
export type Service = (typeof SERVICES)[number];

/** Service registry: one key per live process, under that process's lease. */
export const MEMBERS_PREFIX = '/ringleader/members/';
export const memberKey = (service: Service, id: string): string => `${MEMBERS_PREFIX}${service}/${id}`;
export const memberSchema = z.object({
  service: z.enum(SERVICES),
  /** e.g. `shard-1`. */
  id: z.string(),
  /** Where it can be probed over HTTP, if at all: `127.0.0.1:9101`, or ''. */
  address: z.string(),
  version: z.string(),
  /** A new one for each process: tells a restart from a pause. */
  instance: z.string(),
  startedAt: z.iso.datetime(),
  /** A shard's ordinal, a coordinator's Raft member id; 0 for the others. */
  ordinal: z.int().min(0),
  state: z.enum(['starting', 'joining', 'serving', 'stopping']),
  /** Of a shard: how long the leases are that it grants and counts on. All shards must have the same (docs/PROTOCOL.md 4.4). */
  leaseMs: z.int().min(1).optional(),
});
export type Member = z.infer<typeof memberSchema>;

/** Shards for ever: an ordinal is given once and never again (docs/PROTOCOL.md 4.0). */
export const SHARDS_PREFIX = '/ringleader/shards/';
export const shardKey = (shardId: string): string => `${SHARDS_PREFIX}${shardId}`;
export const shardSchema = z.object({
  shardId: z.string(),
  ordinal: z.int().min(1).max(65_535),
  zone: z.string(),
  weight: z.number().positive(),
  /** Must equal the counter in the shard's database at its next start (docs/PROTOCOL.md 4.10). */
  incarnation: z.int().min(1),
  systemIdentifier: z.string(),
  timeline: z.int().min(0),
  /** The write-ahead log position last reported, as PostgreSQL prints it. */
  walPosition: z.string(),
  /** By a process whose database is not the registered one: whoever runs on that takes it out again, and so stays. */
  challengedBy: z.string().optional(),
  /** It is about to set its database aside, or has: nobody counts on this ordinal any more. Not so once it registers anew. */
  setsAside: z.literal(true).optional(),
});
export type ShardRegistration = z.infer<typeof shardSchema>;
/** The last ordinal given. */
export const SHARD_ORDINALS_KEY = '/ringleader/shard-ordinals';

export const CLUSTER_KEY = '/ringleader/cluster';
export const clusterSchema = z.object({
  clusterId: z.string(),
  name: z.string(),
  partitionCount: z.int().min(16).max(16_384),
  replicationFactor: z.int().min(1).max(7),
  /** How many shards had registered when the first map was made; 0 before. */
  initialShards: z.int().min(0),
  createdAt: z.iso.datetime(),
});
export type Cluster = z.infer<typeof clusterSchema>;

/** Coordinators whose store was found to differ from that of the majority, for as long as they are members of the group. */
export const CORRUPT_PREFIX = '/ringleader/corrupt/';
export const corruptKey = (memberId: string): string => `${CORRUPT_PREFIX}${memberId}`;
export const corruptSchema = z.object({
  /** Of the member, as in the group's configuration. */
  id: z.string(),
  name: z.string(),
  /** Where it was found, with its hash there (null: it never came to it) and that of the majority. */
  revision: z.int().min(0),
  hash: z.string().nullable(),
  expected: z.string(),
});
export type Corrupt = z.infer<typeof corruptSchema>;

/** The partition map: one key per partition, so that a move changes one key. */
export const PARTITIONS_PREFIX = '/ringleader/partitions/';
export const partitionKey = (partition: number): string =>
  `${PARTITIONS_PREFIX}${String(partition).padStart(5, '0')}`;
const ordinal = z.int().min(1).max(65_535);
export const partitionEntrySchema = z.object({
  partition: z.int().min(0).max(16_383),
  epoch: z.int().min(1),
  replicas: z.array(ordinal).min(1),
  nextReplicas: z.array(ordinal).min(1).nullable(),
  learners: z.array(ordinal),
  preferredLeader: ordinal,
  /** The last time that it went on without a majority, because a person said so (docs/PROTOCOL.md 6.8); absent: never. */
  recovery: z
    .object({
      /** Counts them. */
      times: z.int().min(1),
      epoch: z.int().min(1),
      /** With whose replicas it went on; whoever else has something of it from before has to forget that. */
      kept: z.array(ordinal),
      /** Whose replicas were given up, ever: what they have set aside is nobody else's. */
      lost: z.array(ordinal),
    })
    .optional(),
});
export type PartitionEntry = z.infer<typeof partitionEntrySchema>;
