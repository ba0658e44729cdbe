/** GET /v1/cluster out of what the gateway knows, with one word for the state of the whole, and why. Pure. */
import type {
  Cluster,
  ClusterView,
  CoordinatorMember,
  Health,
  Incident,
  Member,
  MemberView,
  PartitionEntry,
  Service,
  ShardPlace,
  ShardRegistration,
  VerdictRecord,
} from '@ringleader/contracts';
import { compareKeys } from '@ringleader/primitives';
import type { MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Telemetry } from './telemetry.js';

export interface CoordinatorStatus {
  readonly leader: string | null;
  readonly term: number | null;
  readonly joint: boolean;
  /** As the leader knows them; empty while none answers. */
  readonly members: readonly CoordinatorMember[];
}

export interface ClusterKnowledge {
  readonly name: string;
  readonly cluster: Cluster | null;
  readonly members: readonly Member[];
  readonly shards: readonly ShardRegistration[];
  /** Coordinators that belong to the cluster, running or not. */
  readonly coordinators: readonly string[];
  readonly coordinator: CoordinatorStatus;
  /** So many failure detectors a verdict takes; 0 while nobody says. */
  readonly detectorQuorum: number;
  readonly entries: readonly PartitionEntry[];
  readonly places: readonly ShardPlace[];
  readonly incidents: readonly Incident[];
  /** Why nothing can be moved; null where it can, or nobody tells. */
  readonly blocked: string | null;
  readonly transportConnected: boolean;
  readonly telemetry: Telemetry;
  /** Null for a member that was never doubted. */
  readonly verdictOf: (service: Service, id: string) => VerdictRecord | null;
  readonly announcedLeader: (partition: PartitionIndex, now: MonotonicMs) => ShardOrdinal | null;
}

/** Members of several services may share an id: without a RINGLEADER_MEMBER it is the name of the host. */
const nameOf = ({ service, id }: Pick<Member, 'service' | 'id'>): string => `${service}/${id}`;

export function clusterView(known: ClusterKnowledge, now: MonotonicMs): ClusterView {
  const members = known.members
    .map((member) => memberView(member, known, now))
    .sort((a, b) => compareKeys(nameOf(a), nameOf(b)));
  const leaders = known.entries.map(({ partition }) => known.announcedLeader(partition, now));
  const withoutLeader = leaders.filter((leader) => leader === null).length;
  const withoutMajority = withoutMajorityOf(known, members, leaders);
  const { health, reasons } = assessHealth({
    transportConnected: known.transportConnected,
    partitions: known.entries.length,
    partitionsWithoutLeader: withoutLeader,
    partitionsWithoutMajority: withoutMajority,
    coordinatorLeader: known.coordinator.leader,
    corrupt: known.coordinator.members.filter(({ corrupt }) => corrupt === true).map(({ name }) => name),
    members,
    unready: new Set(known.members.filter((member) => !known.telemetry.isReady(member, now)).map(nameOf)),
    missing: missingMembers(known),
    detectors: known.telemetry.detectors(now),
    detectorQuorum: known.detectorQuorum,
    blocked: known.blocked,
    incidents: known.incidents.filter(({ mended }) => !mended),
  });
  return {
    id: known.cluster?.clusterId ?? null,
    name: known.cluster?.name ?? known.name,
    health,
    reasons: [...reasons],
    members,
    coordinator: { ...known.coordinator, members: [...known.coordinator.members] },
    partitionMap: {
      epoch: known.entries.reduce((highest, { epoch }) => Math.max(highest, epoch), 0),
      partitions: known.entries.length,
      replicationFactor: known.cluster?.replicationFactor ?? 0,
      withoutLeader,
      withoutMajority,
      shards: shardViews(known, leaders),
    },
  };
}

function memberView(member: Member, known: ClusterKnowledge, now: MonotonicMs): MemberView {
  const { service, id, address, version, startedAt, state } = member;
  const isWatched = known.telemetry.detectors(now) > 0;
  const record = known.verdictOf(service, id);
  return {
    ...{ service, id, address, version, startedAt, state },
    verdict: record?.verdict ?? (isWatched ? 'alive' : 'unknown'),
    verdictSince: record?.since ?? null,
    evidence: record?.votes ?? [],
    phi: known.telemetry.phi(service, id, now),
    load: known.telemetry.load(service, id, now),
  };
}

/**
 * Whoever has a seat in the group: one that has been away since before the gateway came is missing all the same, and one
 * that was removed is not. `seats` is empty while the group is not known: then it is those that were seen.
 */
export function coordinatorNames(seen: ReadonlyMap<string, number>, seats: readonly number[]): string[] {
  const held = new Set(seen.values());
  const unseen = [...new Set(seats)].filter((seat) => !held.has(seat));
  const belonging = [...seen].filter(([, seat]) => seats.length === 0 || seats.includes(seat));
  return [...belonging.map(([name]) => name), ...unseen.map((seat) => `coordinator ${seat}`)];
}

function missingMembers({ members, shards, coordinators }: ClusterKnowledge): string[] {
  const registered = new Set(members.map(nameOf));
  return [
    ...coordinators.map((id) => ({ service: 'coordinator', id }) as const),
    ...shards.map(({ shardId: id }) => ({ service: 'shard', id }) as const),
  ]
    .filter((belonging) => !registered.has(nameOf(belonging)))
    .map(({ id }) => id)
    .sort();
}

function shardViews(
  { shards, entries, places }: ClusterKnowledge,
  leaders: readonly (ShardOrdinal | null)[],
): ClusterView['partitionMap']['shards'] {
  const states = new Map(places.map(({ ordinal, state }) => [ordinal, state]));
  const replicas = counts(entries.flatMap((entry) => entry.replicas));
  const led = counts(leaders);
  return [...shards]
    .sort((a, b) => a.ordinal - b.ordinal)
    .map(({ shardId, ordinal, zone }) => ({
      shard: shardId,
      ordinal,
      zone,
      state: states.get(ordinal) ?? null,
      replicas: replicas.get(ordinal) ?? 0,
      leaders: led.get(ordinal) ?? 0,
    }));
}

function counts<T>(items: readonly T[]): ReadonlyMap<T, number> {
  const found = new Map<T, number>();
  for (const item of items) found.set(item, (found.get(item) ?? 0) + 1);
  return found;
}

/** Of those that nobody leads: the others have one, whatever is thought of their replicas. */
function withoutMajorityOf(
  { shards, entries }: ClusterKnowledge,
  members: readonly MemberView[],
  leaders: readonly (ShardOrdinal | null)[],
): number {
  const shardsUp = members.filter(({ service, verdict }) => service === 'shard' && verdict !== 'down');
  const up = new Set(shardsUp.map(({ id }) => id));
  const left = new Set(shards.filter(({ shardId }) => up.has(shardId)).map(({ ordinal }) => ordinal));
  const hasMajority = (set: readonly ShardOrdinal[]): boolean =>
    set.filter((ordinal) => left.has(ordinal)).length * 2 > set.length;
  return entries.filter(
    ({ replicas, nextReplicas }, i) =>
      leaders[i] === null && !(hasMajority(replicas) && hasMajority(nextReplicas ?? replicas)),
  ).length;
}

interface ClusterFacts {
  readonly transportConnected: boolean;
  readonly partitions: number;
  readonly partitionsWithoutLeader: number;
  /** Some of those without a leader. */
  readonly partitionsWithoutMajority: number;
  readonly coordinatorLeader: string | null;
  /** Coordinators whose store was found to differ from that of the majority. */
  readonly corrupt: readonly string[];
  readonly members: readonly MemberView[];
  /** Members that are not ready, or whose process is not the registered one. */
  readonly unready: ReadonlySet<string>;
  /** Shards and coordinators that belong to the cluster and are not in the service registry. */
  readonly missing: readonly string[];
  /** Failure detectors heard of lately. */
  readonly detectors: number;
  readonly detectorQuorum: number;
  readonly blocked: string | null;
  /** Those that are not mended. */
  readonly incidents: readonly Incident[];
}

interface Assessment {
  readonly health: Health;
  readonly reasons: readonly string[];
}

/**
 * `unavailable`: some keys cannot be written at present, or the gateway cannot tell. `degraded`: all keys can, but
 * something that should be there is missing, so less may fail from here on.
 */
function assessHealth(facts: ClusterFacts): Assessment {
  const grave = graveReasons(facts);
  const { partitionsWithoutMajority: left, partitions } = facts;
  if (left > 0) grave.push(`${left} of ${partitions} partitions have no majority of their replicas`);
  const slight = slightReasons(facts);
  const reasons = [...grave, ...slight];
  if (grave.length > 0) return { health: 'unavailable', reasons };
  return { health: slight.length > 0 ? 'degraded' : 'healthy', reasons };
}

/**
 * Why this gateway is of no use. That no partition has a leader is no fault of its own, and if all gateways were taken out of
 * service for it, clients would be refused connections in place of being told.
 */
export function unreadyReasons(facts: Pick<ClusterFacts, 'transportConnected' | 'partitions'>): string[] {
  return graveReasons({ ...facts, partitionsWithoutLeader: 0 });
}

/** Why nothing at all can be served; empty while a part of the keys can. */
export function unservableReasons(facts: Parameters<typeof graveReasons>[0]): string[] {
  const servesSome = facts.partitionsWithoutLeader < facts.partitions;
  return facts.transportConnected && servesSome ? [] : graveReasons(facts);
}

function graveReasons(
  facts: Pick<ClusterFacts, 'transportConnected' | 'partitions' | 'partitionsWithoutLeader'>,
): string[] {
  if (!facts.transportConnected) return ['the gateway is not connected to NATS'];
  if (facts.partitions === 0) return ['there is no partition map yet'];
  const { partitionsWithoutLeader: without, partitions } = facts;
  return without === 0 ? [] : [`${without} of ${partitions} partitions have no leader`];
}

function detectorReasons({ detectors, detectorQuorum }: ClusterFacts): string[] {
  if (detectors === 0) return ['no failure detector reports'];
  if (detectors >= detectorQuorum) return [];
  return [`too few failure detectors report for verdicts: ${detectors}, and it takes ${detectorQuorum}`];
}

function slightReasons(facts: ClusterFacts): string[] {
  const reasons = facts.missing.map((name) => `${name} is not running`);
  reasons.push(...facts.corrupt.map((name) => `${name} is corrupt: it is to be replaced`));
  if (facts.coordinatorLeader === null) reasons.push('the coordinators have no leader');
  reasons.push(...detectorReasons(facts));
  for (const member of facts.members) {
    const { id, verdict, state } = member;
    if (verdict === 'suspect' || verdict === 'down') reasons.push(`${id} is ${verdict}`);
    else if (state !== 'serving') reasons.push(`${id} is ${state}`);
    else if (facts.unready.has(nameOf(member))) reasons.push(`${id} is not ready`);
  }
  if (facts.blocked !== null) reasons.push(`moves are blocked: ${facts.blocked}`);
  for (const { kind, shard, partition } of facts.incidents) {
    const where = partition === null ? shard : `partition ${partition} of ${shard}`;
    reasons.push(`${kind} is not mended: ${where}`);
  }
  return reasons;
}
