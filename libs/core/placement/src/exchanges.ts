/**
 * Which partition a shard hands to another: of those that can go from one to the other, the one for which the ring prefers the
 * other most. A shard that joins few others takes thousands of partitions, each from among thousands: looking at all of them
 * for each would hold a coordinator up for a minute, and end its leadership, and the next leader's.
 */
import type { PartitionIndex } from '@ringleader/primitives';
import type { Assignment } from './assignment.js';
import type { ShardIndex, Topology } from './topology.js';

/** Who holds a smaller part of the partitions has them looked at one by one, sooner than all are put in order. */
const LARGE_PART = 1 / 16;

interface Order {
  /** All of them; those first for which the ring prefers the shard most. */
  readonly partitions: readonly PartitionIndex[];
  /** Where each of them stands. */
  readonly places: Uint32Array;
  /**
   * By who gives: none of so many of the first can go from there. Whether one can is a matter of who holds just that one, so
   * what is passed over once is looked at again only when it has moved.
   */
  readonly passed: Map<ShardIndex, number>;
}

export class Exchanges {
  readonly #orders = new Map<ShardIndex, Order>();

  constructor(
    private readonly topology: Topology,
    private readonly assignment: Assignment,
  ) {}

  find(from: ShardIndex, to: ShardIndex): PartitionIndex | undefined {
    const { assignment, topology } = this;
    if (!assignment.mayExchange(from, to)) return undefined;
    const isLarge = assignment.load(from) > LARGE_PART * topology.partitionCount;
    return isLarge ? this.#firstInOrder(from, to) : this.#nearest(from, to);
  }

  move(partition: PartitionIndex, from: ShardIndex, to: ShardIndex): void {
    this.assignment.exchange(partition, from, to);
    for (const [taker, { places, passed }] of this.#orders) {
      const place = places[partition]!;
      for (const [giver, count] of passed)
        if (place < count && this.#canGo(partition, giver, taker)) passed.set(giver, place);
    }
  }

  #canGo(partition: PartitionIndex, from: ShardIndex, to: ShardIndex): boolean {
    return this.assignment.holds(from, partition) && this.assignment.admitsExchange(partition, from, to);
  }

  #firstInOrder(from: ShardIndex, to: ShardIndex): PartitionIndex | undefined {
    const { partitions, passed } = this.#orderOf(to);
    let at = passed.get(from) ?? 0;
    while (at < partitions.length && !this.#canGo(partitions[at]!, from, to)) at += 1;
    passed.set(from, at);
    return partitions[at];
  }

  #orderOf(to: ShardIndex): Order {
    let order = this.#orders.get(to);
    if (order === undefined) {
      const { topology } = this;
      const count = topology.partitionCount;
      const distances = Float64Array.from({ length: count }, (_, partition) =>
        topology.distance(partition, to),
      );
      const partitions = Array.from({ length: count }, (_, partition) => partition);
      partitions.sort((a, b) => distances[a]! - distances[b]! || a - b);
      const places = new Uint32Array(count);
      partitions.forEach((partition, place) => (places[partition] = place));
      order = { partitions, places, passed: new Map() };
      this.#orders.set(to, order);
    }
    return order;
  }

  #nearest(from: ShardIndex, to: ShardIndex): PartitionIndex | undefined {
    const { assignment, topology } = this;
    let best: PartitionIndex | undefined;
    let nearest = Number.POSITIVE_INFINITY;
    for (const partition of assignment.partitionsOf(from)) {
      if (!assignment.admitsExchange(partition, from, to)) continue;
      const distance = topology.distance(partition, to);
      if (distance < nearest || (distance === nearest && partition < best!)) {
        best = partition;
        nearest = distance;
      }
    }
    return best;
  }
}
