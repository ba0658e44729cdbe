/**
 * After the last fault every machine comes back and nobody gives orders any more: every plan ends in bounded time, the
 * data plane recovers, and then everything is where it belongs.
 */
import {
  computeMap,
  eligiblePlaces,
  EPSILON_DEFAULT,
  type ClusterState,
  type MapEntry,
  type Place,
} from '@ringleader/placement';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Cluster } from '../paxos/cluster.js';
import { checkRecovery, healEverything } from '../paxos/recovery.js';
import { failShape } from './checks.js';
import type { ElasticCluster } from './elastic-cluster.js';

const POLL_MS = 50;
/** Whoever is no replica any more learns that late. */
const EMPTIED_MS = 2_000;

export function healShape({ cluster, machines, links, coordinators, detectors }: ElasticCluster): void {
  links.heal();
  detectors.heal();
  for (const machine of machines.all()) if (machine.isDown) machines.start(machine);
  healEverything(cluster);
  cluster.workload.stop();
  coordinators.command({ kind: 'resume' });
}

export function awaitPlans(scene: ElasticCluster): void {
  const { cluster, coordinators, settings, machines } = scene;
  const { events } = cluster.world;
  const deadline = events.now + settings.planMs;
  for (;;) {
    events.runUntil(events.now + POLL_MS);
    // Whoever was paused before it was asked to resume.
    if (coordinators.store.state.control?.paused === true) coordinators.command({ kind: 'resume' });
    const isAllUp = machines.all().every(({ isServing }) => isServing);
    const missing = isAllUp ? coordinators.stillToDo() : 'a machine that does not serve yet';
    if (missing === null) return;
    if (events.now < deadline) continue;
    cluster.judge.check(() =>
      failShape('plans end', `${String(settings.planMs)} ms after the last fault: ${missing}`),
    );
    return;
  }
}

export function checkShape(scene: ElasticCluster): void {
  const { cluster, coordinators } = scene;
  const { judge } = cluster;
  const { state } = coordinators.store;
  judge.check(() => {
    checkRecovery(cluster);
  });
  for (const entry of state.map) {
    judge.check(() => {
      checkZones(state, entry);
    });
  }
  judge.check(() => {
    checkRows(scene);
  });
  judge.check(() => {
    checkLoad(state);
  });
}

function checkZones(state: ClusterState, { partition, replicas }: MapEntry): void {
  const zoneOf = (ordinal: ShardOrdinal): string => state.places.get(ordinal)?.zone ?? '';
  const zones = new Set(eligiblePlaces(state).map(({ zone }) => zone)).size;
  const used = new Set(replicas.map(zoneOf)).size;
  const possible = Math.min(state.replicationFactor, zones);
  if (used >= possible) return;
  failShape('zones', `partition ${String(partition)} is in ${String(used)} zones of ${String(possible)}`);
}

/** Every key that clients wrote is on exactly as many replicas as wanted; whoever is no replica soon has no row. */
function checkRows(scene: ElasticCluster): void {
  const { cluster, coordinators } = scene;
  const { events } = cluster.world;
  const deadline = events.now + EMPTIED_MS;
  for (;;) {
    const wrong = firstWrongRow(scene, coordinators.store.state);
    if (wrong === null) return;
    if (events.now >= deadline) failShape('conservation', wrong);
    events.runUntil(events.now + POLL_MS);
  }
}

function firstWrongRow(
  { cluster, machines }: ElasticCluster,
  { map, replicationFactor }: ClusterState,
): string | null {
  for (const { partition, replicas } of map) {
    const present = replicas.filter((ordinal) => machines.of(ordinal) !== null);
    if (new Set(present).size !== replicationFactor || replicas.length !== replicationFactor) {
      return `partition ${String(partition)} has replicas ${String(replicas)}`;
    }
    const stranger = cluster.shards.find((shard) => {
      return !replicas.includes(shard) && cluster.database(shard).countRows(partition) > 0;
    });
    if (stranger !== undefined) return `shard ${String(stranger)} has rows of partition ${String(partition)}`;
    const lacking = firstKeyNotEverywhere(cluster, partition, replicas);
    if (lacking !== null) return lacking;
  }
  return null;
}

function firstKeyNotEverywhere(
  cluster: Cluster,
  partition: PartitionIndex,
  replicas: readonly ShardOrdinal[],
): string | null {
  const { committed } = cluster.ghost.partition(partition);
  for (const key of committed.keys) {
    if ((committed.last(key, committed.top)?.row?.value ?? null) === null) continue;
    const holders = replicas.filter((shard) => cluster.database(shard).liveRows(partition).has(key));
    if (holders.length < replicas.length) return `${key} is on ${String(holders)} of ${String(replicas)}`;
  }
  return null;
}

/**
 * Without zones everybody has its share by weight, but nobody more than one replica of each partition. With zones that is not
 * possible everywhere: about as much then as in a map that is worked out from nothing.
 */
function checkLoad(state: ClusterState): void {
  const { partitionCount, replicationFactor, map } = state;
  const places = eligiblePlaces(state);
  const count = (partitions: readonly { readonly replicas: readonly ShardOrdinal[] }[], one: Place): number =>
    partitions.filter(({ replicas }) => replicas.includes(one.ordinal)).length;
  const hasZones = new Set(places.map(({ zone }) => zone)).size > 1;
  const shards = places.map(({ shardId: id, ...place }) => ({ id, ...place }));
  const fresh = hasZones ? computeMap({ partitionCount, replicationFactor, shards }) : null;
  const shares = sharesByWeight(places, partitionCount * replicationFactor, partitionCount);
  places.forEach((place, index) => {
    const has = count(map, place);
    const share = fresh?.kind === 'placed' ? count(fresh.partitions, place) : (shares[index] as number);
    const slack = hasZones ? ZONES_SLACK : 0;
    const low = Math.floor((1 - EPSILON_DEFAULT) * share) - slack;
    const high = Math.ceil((1 + EPSILON_DEFAULT) * share) + slack;
    if (has >= low && has <= high) return;
    failShape(
      'load',
      `shard ${String(place.ordinal)} has ${String(has)} replicas, ${share.toFixed(2)} are its share`,
    );
  });
}

/** What the full ones cannot take goes to the others. */
function sharesByWeight(places: readonly Place[], total: number, most: number): number[] {
  const full = new Set<Place>();
  for (;;) {
    const open = places.filter((place) => !full.has(place));
    const weights = open.reduce((sum, { weight }) => sum + weight, 0);
    const perWeight = (total - full.size * most) / weights;
    const over = open.filter(({ weight }) => weight * perWeight > most);
    if (over.length === 0) return places.map((place) => (full.has(place) ? most : place.weight * perWeight));
    for (const place of over) full.add(place);
  }
}

const ZONES_SLACK = 2;
