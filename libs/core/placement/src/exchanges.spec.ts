import { describe, expect, it } from '@jest/globals';
import { type PartitionIndex, seededPrng } from '@ringleader/primitives';
import fc from 'fast-check';
import { Assignment } from './assignment.js';
import { Exchanges } from './exchanges.js';
import { computeMap, EPSILON_DEFAULT } from './placement.js';
import type { PlacementShard } from './request.js';
import { Rings } from './rings.js';
import { type ShardIndex, Topology } from './topology.js';

const PARTITIONS = 64;
const shard = (ordinal: number, zone = ''): PlacementShard => {
  return { ordinal, id: `shard-${ordinal}`, zone, weight: 1 };
};

/** The obvious way: all that can go, and of these the nearest. */
function nearest(
  topology: Topology,
  assignment: Assignment,
  [from, to]: readonly [ShardIndex, ShardIndex],
): PartitionIndex | undefined {
  return [...assignment.partitionsOf(from)]
    .filter((partition) => assignment.admitsExchange(partition, from, to))
    .sort((a, b) => topology.distance(a, to) - topology.distance(b, to) || a - b)[0];
}

describe('Exchanges', () => {
  it('find what the ring prefers the taker for most, whatever has gone to and fro before', () => {
    const zones = fc.array(fc.constantFrom('', 'a', 'b'), { minLength: 3, maxLength: 9 });
    fc.assert(
      fc.property(zones, fc.integer(), (list, seed) => {
        const prng = seededPrng(seed);
        const shards = list.map((zone, i) => shard(i + 1, zone));
        const rest = { replicationFactor: 3, epsilon: EPSILON_DEFAULT, rings: new Rings() };
        const topology = new Topology({ shards, partitionCount: PARTITIONS, ...rest });
        const assignment = new Assignment(topology);
        for (let partition = 0; partition < PARTITIONS; partition++) {
          // Some shards hold much, others little or nothing.
          const first = prng.nextBelow(2);
          const inTurn = shards.map((_, i) => (first + i) % shards.length);
          for (const index of inTurn)
            if (assignment.vacancies(partition) > 0 && assignment.admits(partition, index))
              assignment.add(partition, index);
        }
        const exchanges = new Exchanges(topology, assignment);
        for (let i = 0; i < 300; i++) {
          const [from, to] = [prng.nextBelow(shards.length), prng.nextBelow(shards.length)];
          if (from === to) continue;
          const found = exchanges.find(from, to);
          expect(found).toBe(nearest(topology, assignment, [from, to]));
          if (found !== undefined) exchanges.move(found, from, to);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('cost a look at each partition where one shard joins a few, and not one for each that it takes', () => {
    const partitionCount = 1_024;
    const looks = { count: 0 };
    class WatchedRings extends Rings {
      override roundsOf(member: PlacementShard): Float64Array {
        return new Proxy(super.roundsOf(member), {
          get(rounds, property) {
            looks.count += 1;
            return Reflect.get(rounds, property) as unknown;
          },
        });
      }
    }
    const shards = [shard(1), shard(2), shard(3)];
    const request = { partitionCount, replicationFactor: 3, rings: new WatchedRings() };
    const before = computeMap({ ...request, shards });
    if (before.kind !== 'placed') throw new Error(before.kind);
    looks.count = 0;
    const after = computeMap({ ...request, shards: [...shards, shard(4)], current: before.partitions });
    if (after.kind !== 'placed') throw new Error(after.kind);
    expect(after.partitions.filter(({ replicas }) => replicas.includes(4))).toHaveLength(768);
    // A dozen for each: the nearest point is searched for.
    expect(looks.count).toBeLessThan(partitionCount * 50);
  });

  it('pass over each partition once, and not once more for each that goes', () => {
    const partitionCount = 4_096;
    let looks = 0;
    class WatchedAssignment extends Assignment {
      override holds(index: ShardIndex, partition: PartitionIndex): boolean {
        looks += 1;
        return super.holds(index, partition);
      }
    }
    const shards = [1, 2, 3, 4, 5].map((ordinal) => shard(ordinal));
    const rest = { replicationFactor: 3, epsilon: EPSILON_DEFAULT, rings: new Rings() };
    const topology = new Topology({ shards, partitionCount, ...rest });
    const assignment = new WatchedAssignment(topology);
    for (let partition = 0; partition < partitionCount; partition++)
      for (let i = 0; i < 3; i++) assignment.add(partition, (partition + i) % 4);
    const exchanges = new Exchanges(topology, assignment);
    looks = 0;
    // What the fifth is to hold of all.
    const share = Math.floor((3 * partitionCount) / 5);
    for (let i = 0; i < share; i++) {
      // One after the other: what the first ones do not have stays in front of all that they give.
      const from = Math.floor((4 * i) / share);
      exchanges.move(exchanges.find(from, 4)!, from, 4);
    }
    expect(assignment.load(4)).toBe(share);
    expect(looks).toBeLessThan(partitionCount * 30);
  });
});
