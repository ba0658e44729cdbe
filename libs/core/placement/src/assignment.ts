/** The map while it is being worked out: who holds what, and how much each shard and zone holds. */
import { invariant, type PartitionIndex } from '@ringleader/primitives';
import type { ShardIndex, Topology } from './topology.js';

const VACANT = -1;

export class Assignment {
  readonly #topology: Topology;
  /** Per partition, one place per replica, each a shard or vacant. A replacement takes the place of what it replaces. */
  readonly #places: number[][];
  readonly #partitionsOf: readonly Set<PartitionIndex>[];
  readonly #inZone: Uint8Array;
  /** Per zone, partitions of which it may take one more. */
  readonly #withRoom: number[];

  constructor(topology: Topology) {
    const { partitionCount, replicationFactor, shards, zoneCount } = topology;
    this.#topology = topology;
    this.#places = Array.from({ length: partitionCount }, () =>
      Array<number>(replicationFactor).fill(VACANT),
    );
    this.#partitionsOf = shards.map(() => new Set());
    this.#inZone = new Uint8Array(partitionCount * zoneCount);
    this.#withRoom = Array<number>(zoneCount).fill(partitionCount);
  }

  replicas(partition: PartitionIndex): readonly ShardIndex[] {
    return this.#places[partition]!.filter((shard) => shard !== VACANT);
  }

  vacancies(partition: PartitionIndex): number {
    return this.#places[partition]!.filter((shard) => shard === VACANT).length;
  }

  partitionsOf(shard: ShardIndex): ReadonlySet<PartitionIndex> {
    return this.#partitionsOf[shard]!;
  }

  load(shard: ShardIndex): number {
    return this.#partitionsOf[shard]!.size;
  }

  holds(shard: ShardIndex, partition: PartitionIndex): boolean {
    return this.#partitionsOf[shard]!.has(partition);
  }

  /** Whether the shard may take one more replica of the partition, by identity and zone. */
  admits(partition: PartitionIndex, shard: ShardIndex): boolean {
    if (this.holds(shard, partition)) return false;
    return this.#inZone[this.#zoneSlot(partition, shard)]! < this.#topology.replicasPerZoneMax;
  }

  /** Whether `to` may take the partition in place of `from`, which holds it. */
  admitsExchange(partition: PartitionIndex, from: ShardIndex, to: ShardIndex): boolean {
    if (this.#topology.zoneOf[from] !== this.#topology.zoneOf[to]) return this.admits(partition, to);
    return !this.holds(to, partition);
  }

  /** False: no partition can go from one to the other, whatever they hold. */
  mayExchange(from: ShardIndex, to: ShardIndex): boolean {
    const zone = this.#topology.zoneOf[to]!;
    return this.#topology.zoneOf[from] === zone || this.#withRoom[zone]! > 0;
  }

  add(partition: PartitionIndex, shard: ShardIndex): void {
    const places = this.#places[partition]!;
    this.#put(partition, places.indexOf(VACANT), shard);
  }

  /** Into a given place, which is vacant: so that a replica that stays keeps its place. */
  addAt(partition: PartitionIndex, place: number, shard: ShardIndex): void {
    invariant(this.#places[partition]![place] === VACANT, 'Assignment.addAt: the place is taken');
    this.#put(partition, place, shard);
  }

  exchange(partition: PartitionIndex, from: ShardIndex, to: ShardIndex): void {
    const place = this.#places[partition]!.indexOf(from);
    invariant(place !== -1, 'Assignment.exchange: not a replica');
    this.#places[partition]![place] = VACANT;
    this.#partitionsOf[from]!.delete(partition);
    const { zoneOf, replicasPerZoneMax } = this.#topology;
    if (this.#inZone[this.#zoneSlot(partition, from)]!-- === replicasPerZoneMax)
      this.#withRoom[zoneOf[from]!]! += 1;
    this.#put(partition, place, to);
  }

  #put(partition: PartitionIndex, place: number, shard: ShardIndex): void {
    invariant(place !== -1 && !this.holds(shard, partition), 'Assignment: no place, or a replica twice');
    this.#places[partition]![place] = shard;
    this.#partitionsOf[shard]!.add(partition);
    const { zoneOf, replicasPerZoneMax } = this.#topology;
    if (++this.#inZone[this.#zoneSlot(partition, shard)]! === replicasPerZoneMax)
      this.#withRoom[zoneOf[shard]!]! -= 1;
  }

  #zoneSlot(partition: PartitionIndex, shard: ShardIndex): number {
    return partition * this.#topology.zoneCount + this.#topology.zoneOf[shard]!;
  }
}
