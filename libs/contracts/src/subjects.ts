/**
 * Every NATS subject there is. `cluster` is the cluster's name: two clusters can share one NATS.
 */
import type { MemberId, ShardOrdinal } from '@ringleader/primitives';

/** Names of clusters and members: what fits in one token of a NATS subject and in a Kubernetes name. */
export const NAME_PATTERN = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

const root = (cluster: string): string => `rl.${cluster}`;

/** Control requests to one coordinator (JSON, NestJS transport). */
export const coordinatorSubject = (cluster: string, member: MemberId, operation: string): string =>
  `${root(cluster)}.coordinator.${member}.${operation}`;
/** Raft frames to one coordinator (binary). */
export const raftSubject = (cluster: string, member: MemberId): string => `${root(cluster)}.raft.${member}`;
/** Frames of shard messages to one shard (binary). */
export const shardPeerSubject = (cluster: string, shard: ShardOrdinal): string =>
  `${root(cluster)}.shard.${shard}.peer`;
/** Frames of requests from gateways to one shard (binary). */
export const shardRequestSubject = (cluster: string, shard: ShardOrdinal): string =>
  `${root(cluster)}.shard.${shard}.request`;
/** Frames of replies to one gateway (binary). */
export const gatewayReplySubject = (cluster: string, gateway: string): string =>
  `${root(cluster)}.gateway.${gateway}.reply`;
/** Announcements of partition leaders, from all shards to all gateways (binary). */
export const leadersSubject = (cluster: string): string => `${root(cluster)}.leaders`;
/** "Say now what you lead": from a gateway that has just started to all shards (empty). */
export const leadersQuerySubject = (cluster: string): string => `${root(cluster)}.leaders-query`;
/** Heartbeats of all members, with load (JSON). */
export const heartbeatSubject = (cluster: string): string => `${root(cluster)}.heartbeat`;
/** Reports of all failure detectors (JSON). */
export const verdictsSubject = (cluster: string): string => `${root(cluster)}.verdicts`;
