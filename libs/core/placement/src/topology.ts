/** The shards as indices, in the order of their ordinals, with their zones, the ring they stand on and their bounds. */
import { partitionStart, type RingMember } from '@ringleader/hash-ring';
import type { PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { PlacementRequest, PlacementShard } from './request.js';
import { standing, type Rings } from './rings.js';
import { fairShares, loadBounds, type LoadBounds } from './shares.js';

export type ShardIndex = number;

export class Topology {
  readonly shards: readonly PlacementShard[];
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly epsilon: number;
  /** Zone index per shard. */
  readonly zoneOf: readonly number[];
  readonly zoneCount: number;
  /**
   * The most replicas of one partition in one zone: 1 while there are enough zones, otherwise the least that leaves room
   * for all replicas. So replicas are spread over as many zones as there are.
   */
  readonly replicasPerZoneMax: number;
  readonly replicaBounds: readonly LoadBounds[];
  readonly #indexOf: ReadonlyMap<ShardOrdinal, ShardIndex>;
  /** Made when they are first needed: where nothing is missing nobody is asked for. */
  #walk: ((from: bigint) => Iterable<ShardIndex>) | null = null;
  readonly #points: (Float64Array | undefined)[] = [];
  readonly #rings: Rings;
  readonly #standing: readonly RingMember[];

  constructor({
    shards,
    partitionCount,
    replicationFactor,
    epsilon,
    rings,
  }: Required<Omit<PlacementRequest, 'current'>>) {
    this.#rings = rings;
    this.shards = shards.toSorted((a, b) => a.ordinal - b.ordinal);
    this.#standing = standing(this.shards);
    this.partitionCount = partitionCount;
    this.replicationFactor = replicationFactor;
    this.epsilon = epsilon;
    const zones = [...new Set(this.shards.map(({ zone }) => zone))];
    this.zoneOf = this.shards.map(({ zone }) => zones.indexOf(zone));
    this.zoneCount = zones.length;
    this.replicasPerZoneMax = this.#leastReplicasPerZone();
    this.replicaBounds = this.#boundReplicas();
    this.#indexOf = new Map(this.shards.map(({ ordinal }, index) => [ordinal, index]));
  }

  indexOf(ordinal: ShardOrdinal): ShardIndex | undefined {
    return this.#indexOf.get(ordinal);
  }

  /** All shards in the order in which a clockwise walk from the partition's start meets them. */
  preferences(partition: PartitionIndex): Iterable<ShardIndex> {
    this.#walk ??= this.#rings.walker(this.#standing);
    return this.#walk(partitionStart(partition, this.partitionCount));
  }

  /** How far that walk goes until it meets the shard, in rounds of the ring: the nearer, the more the ring prefers it. */
  distance(partition: PartitionIndex, shard: ShardIndex): number {
    const points = (this.#points[shard] ??= this.#rings.roundsOf(this.#standing[shard]!));
    const start = partition / this.partitionCount;
    let low = 0;
    let high = points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (points[middle]! < start) low = middle + 1;
      else high = middle;
    }
    return low < points.length ? points[low]! - start : points[0]! + 1 - start;
  }

  #leastReplicasPerZone(): number {
    const sizes = Array.from(
      { length: this.zoneCount },
      (_, zone) => this.zoneOf.filter((z) => z === zone).length,
    );
    const room = (perZone: number): number => sizes.reduce((sum, size) => sum + Math.min(perZone, size), 0);
    let perZone = 1;
    while (room(perZone) < this.replicationFactor) perZone += 1;
    return perZone;
  }

  #boundReplicas(): LoadBounds[] {
    const { partitionCount, replicationFactor, epsilon } = this;
    const consumers = this.shards.map(({ weight }, index) => ({
      weight,
      capacity: partitionCount,
      group: this.zoneOf[index]!,
    }));
    const zoneCapacity = Array.from(
      { length: this.zoneCount },
      () => this.replicasPerZoneMax * partitionCount,
    );
    const shares = fairShares(partitionCount * replicationFactor, consumers, zoneCapacity);
    return shares.map((share) => loadBounds(share, epsilon));
  }
}
