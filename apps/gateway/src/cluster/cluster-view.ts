/** GET /v1/cluster out of what the gateway knows. Pure. */
import type {
  Cluster,
  ClusterView,
  Member,
  MemberView,
  PartitionEntry,
  ShardRegistration,
} from '@ringleader/contracts';
import { compareKeys } from '@ringleader/primitives';
import type { MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import { assessHealth } from './cluster-health.js';
import type { Telemetry } from './telemetry.js';

export interface CoordinatorStatus {
  readonly leader: string | null;
  readonly term: number | null;
}

export interface ClusterKnowledge {
  readonly name: string;
  readonly cluster: Cluster | null;
  readonly members: readonly Member[];
  readonly shards: readonly ShardRegistration[];
  /** Coordinators this gateway has ever seen. */
  readonly coordinatorsSeen: readonly string[];
  readonly coordinator: CoordinatorStatus;
  readonly entries: readonly PartitionEntry[];
  readonly transportConnected: boolean;
  readonly telemetry: Telemetry;
  readonly announcedLeader: (partition: PartitionIndex, now: MonotonicMs) => ShardOrdinal | null;
}

export function clusterView(known: ClusterKnowledge, now: MonotonicMs): ClusterView {
  const members = known.members
    .map((member) => memberView(member, known.telemetry, now))
    .sort((a, b) => compareKeys(`${a.service}/${a.id}`, `${b.service}/${b.id}`));
  const leaders = known.entries.map(({ partition }) => known.announcedLeader(partition, now));
  const withoutLeader = leaders.filter((leader) => leader === null).length;
  const { health, reasons } = assessHealth({
    transportConnected: known.transportConnected,
    partitions: known.entries.length,
    partitionsWithoutLeader: withoutLeader,
    coordinatorLeader: known.coordinator.leader,
    members,
    unready: known.members.filter((member) => !known.telemetry.isReady(member, now)).map(({ id }) => id),
    missing: missingMembers(known),
    detectors: known.telemetry.detectors(now),
  });
  return {
    id: known.cluster?.clusterId ?? null,
    name: known.cluster?.name ?? known.name,
    health,
    reasons: [...reasons],
    members,
    coordinator: { ...known.coordinator },
    partitionMap: {
      epoch: known.entries.reduce((highest, { epoch }) => Math.max(highest, epoch), 0),
      partitions: known.entries.length,
      replicationFactor: known.cluster?.replicationFactor ?? 0,
      withoutLeader,
      shards: shardViews(known, leaders),
    },
  };
}

function memberView(member: Member, telemetry: Telemetry, now: MonotonicMs): MemberView {
  const { service, id, address, version, startedAt, state } = member;
  const { verdict, phi } = telemetry.verdict(service, id, now);
  return {
    service,
    id,
    address,
    version,
    startedAt,
    state,
    verdict,
    phi,
    load: telemetry.load(service, id, now),
  };
}

function missingMembers({ members, shards, coordinatorsSeen }: ClusterKnowledge): string[] {
  const registered = new Set(members.map(({ id }) => id));
  return [...coordinatorsSeen, ...shards.map(({ shardId }) => shardId)]
    .filter((id) => !registered.has(id))
    .sort();
}

function shardViews(
  { shards, entries }: ClusterKnowledge,
  leaders: readonly (ShardOrdinal | null)[],
): ClusterView['partitionMap']['shards'] {
  return [...shards]
    .sort((a, b) => a.ordinal - b.ordinal)
    .map(({ shardId, ordinal, zone }) => ({
      shard: shardId,
      ordinal,
      zone,
      replicas: entries.filter(({ replicas }) => replicas.includes(ordinal)).length,
      leaders: leaders.filter((leader) => leader === ordinal).length,
    }));
}
