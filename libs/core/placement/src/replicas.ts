/** Which shards replicate each partition: what stays, what the ring proposes for the rest, and the balance. */
import type { PartitionIndex } from '@ringleader/primitives';
import { Assignment } from './assignment.js';
import { balance } from './balance.js';
import { Exchanges } from './exchanges.js';
import type { CurrentMap } from './request.js';
import type { ShardIndex, Topology } from './topology.js';

export function assignReplicas(topology: Topology, current: CurrentMap): Assignment {
  const assignment = new Assignment(topology);
  keepWhatMayStay(topology, current, assignment);
  for (let partition = 0; partition < topology.partitionCount; partition++) {
    while (assignment.vacancies(partition) > 0) {
      assignment.add(partition, proposeByRing(topology, assignment, partition));
    }
  }
  const exchanges = new Exchanges(topology, assignment);
  balance({
    bounds: topology.replicaBounds,
    load: (shard) => assignment.load(shard),
    findMove: (from, to) => exchanges.find(from, to),
    move: (partition, from, to) => exchanges.move(partition, from, to),
  });
  return assignment;
}

/**
 * Replicas on shards that are still there stay, unless there are too many of them, in the partition or in one zone: then
 * those stay that are the least loaded for their share.
 */
function keepWhatMayStay(topology: Topology, current: CurrentMap, assignment: Assignment): void {
  const present = Array.from({ length: topology.partitionCount }, (_, partition) => {
    const shards = (current[partition]?.replicas ?? []).map((ordinal) => topology.indexOf(ordinal));
    return [...new Set(shards)];
  });
  const loads = topology.shards.map(() => 0);
  for (const shard of present.flat()) if (shard !== undefined) loads[shard]! += 1;
  const pressure = (shard: ShardIndex): number => loads[shard]! / topology.replicaBounds[shard]!.share;
  present.forEach((places, partition) => {
    const lightestFirst = places
      .filter((shard) => shard !== undefined)
      .sort((a, b) => pressure(a) - pressure(b) || a - b);
    const kept = new Set<ShardIndex>();
    for (const shard of lightestFirst) {
      if (kept.size < topology.replicationFactor && fitsZone(topology, kept, shard)) kept.add(shard);
      else loads[shard]! -= 1;
    }
    keepInPlace(assignment, partition, { places, kept });
  });
}

function fitsZone(topology: Topology, kept: ReadonlySet<ShardIndex>, shard: ShardIndex): boolean {
  const zone = topology.zoneOf[shard];
  const inZone = [...kept].filter((other) => topology.zoneOf[other] === zone).length;
  return inZone < topology.replicasPerZoneMax;
}

/** Replicas that stay keep their places; where the list was longer than it may be, they close up. */
function keepInPlace(
  assignment: Assignment,
  partition: PartitionIndex,
  {
    places,
    kept,
  }: { readonly places: readonly (ShardIndex | undefined)[]; readonly kept: ReadonlySet<ShardIndex> },
): void {
  const replicationFactor = assignment.vacancies(partition);
  const fits = places.length <= replicationFactor;
  places.forEach((shard, place) => {
    if (shard === undefined || !kept.has(shard)) return;
    if (fits) assignment.addAt(partition, place, shard);
    else assignment.add(partition, shard);
  });
}

/**
 * The first shard clockwise that is admissible and below its share; failing that, below its bound; failing that, the
 * first admissible one, and the balance is mended afterwards. There is always an admissible one, because the number of
 * replicas per zone was chosen so.
 */
function proposeByRing(topology: Topology, assignment: Assignment, partition: PartitionIndex): ShardIndex {
  let belowBound: ShardIndex | undefined;
  let admissible: ShardIndex | undefined;
  for (const shard of topology.preferences(partition)) {
    if (!assignment.admits(partition, shard)) continue;
    const { ceiling, high } = topology.replicaBounds[shard]!;
    const load = assignment.load(shard);
    if (load < ceiling) return shard;
    if (load < high) belowBound ??= shard;
    admissible ??= shard;
  }
  return (belowBound ?? admissible)!;
}
