import { describe, expect, it } from '@jest/globals';
import { seededPrng, type Prng } from '@ringleader/primitives';
import fc from 'fast-check';
import { compareMaps } from './moves.js';
import { computeMap } from './placement.js';
import type { PartitionPlacement, PlacementShard } from './request.js';
import { reportBalance, reportMovement } from './report.js';

const shard = (ordinal: number, zone = '', weight = 1): PlacementShard => ({
  ordinal,
  id: `shard-${ordinal}`,
  zone,
  weight,
});
const shardsUpTo = (count: number): PlacementShard[] => Array.from({ length: count }, (_, i) => shard(i + 1));

interface Setup {
  partitionCount?: number;
  replicationFactor?: number;
  epsilon?: number;
  current?: readonly PartitionPlacement[];
}

function place(shards: readonly PlacementShard[], setup: Setup = {}): readonly PartitionPlacement[] {
  const result = computeMap({ partitionCount: 256, replicationFactor: 3, shards, ...setup });
  if (result.kind !== 'placed') throw new Error(result.kind);
  return result.partitions;
}

const countReplicas = (map: readonly PartitionPlacement[], ordinal: number): number =>
  map.filter(({ replicas }) => replicas.includes(ordinal)).length;

describe('computeMap', () => {
  const partitionCounts = fc.constantFrom(16, 64, 256, 512);
  const weights = fc.constantFrom(0.5, 1, 1, 1, 2, 3);
  const zones = fc.constantFrom('', 'a', 'b', 'c', 'd');
  const shardLists = fc
    .array(fc.record({ zone: zones, weight: weights }), { minLength: 3, maxLength: 16 })
    .map((list) => list.map(({ zone, weight }, i) => shard(i + 1, zone, weight)));

  it('puts the replicas of each partition on distinct shards, and one of them leads', () => {
    fc.assert(
      fc.property(shardLists, partitionCounts, (shards, partitionCount) => {
        for (const { replicas, preferredLeader } of place(shards, { partitionCount })) {
          expect(new Set(replicas).size).toBe(3);
          expect(replicas).toContain(preferredLeader);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('spreads each partition over as many zones as there are, up to its replicas', () => {
    fc.assert(
      fc.property(shardLists, partitionCounts, (shards, partitionCount) => {
        const zoneOf = new Map(shards.map(({ ordinal, zone }) => [ordinal, zone]));
        const zonesUsed = Math.min(3, new Set(zoneOf.values()).size);
        for (const { replicas } of place(shards, { partitionCount })) {
          expect(new Set(replicas.map((ordinal) => zoneOf.get(ordinal))).size).toBe(zonesUsed);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('holds the bound of (1 + epsilon) x the weighted mean, where no shard or zone is too small for its weight', () => {
    const evenLists = fc
      .record({
        perZone: fc.integer({ min: 1, max: 5 }),
        zoneCount: fc.constantFrom(1, 3, 4),
        heavy: fc.boolean(),
      })
      .filter(({ perZone, zoneCount, heavy }) => perZone * zoneCount >= (heavy ? 8 : 3));
    fc.assert(
      fc.property(evenLists, partitionCounts, ({ perZone, zoneCount, heavy }, partitionCount) => {
        const shards = Array.from({ length: perZone * zoneCount }, (_, i) =>
          shard(i + 1, `zone-${i % zoneCount}`, heavy && i < zoneCount ? 2 : 1),
        );
        const totalWeight = shards.reduce((sum, { weight }) => sum + weight, 0);
        const map = place(shards, { partitionCount });
        const { shards: loads } = reportBalance(map, shards);
        loads.forEach(({ replicas, leaders }, i) => {
          const part = shards[i]!.weight / totalWeight;
          expect(replicas).toBeLessThanOrEqual(Math.ceil(1.05 * partitionCount * 3 * part - 1e-9));
          expect(leaders).toBeLessThanOrEqual(Math.ceil(1.05 * partitionCount * part - 1e-9));
        });
      }),
      { numRuns: 60 },
    );
  });

  it('gives a shard that is alone in its zone every partition, and no more to others than must be', () => {
    const shards = [shard(1, 'a'), shard(2, 'b'), shard(3, 'c'), shard(4, 'c'), shard(5, 'c')];
    const map = place(shards);
    expect([1, 2].map((ordinal) => countReplicas(map, ordinal))).toEqual([256, 256]);
    for (const ordinal of [3, 4, 5])
      expect(countReplicas(map, ordinal)).toBeLessThanOrEqual(Math.ceil(1.05 * 85.4));
  });

  it('does not depend on the order of the shards', () => {
    fc.assert(
      fc.property(shardLists, (shards) => {
        expect(place(shards.toReversed())).toEqual(place(shards));
      }),
      { numRuns: 20 },
    );
  });

  it('changes nothing in a map that it made', () => {
    fc.assert(
      fc.property(shardLists, partitionCounts, (shards, partitionCount) => {
        const map = place(shards, { partitionCount });
        expect(place(shards, { partitionCount, current: map })).toEqual(map);
      }),
      { numRuns: 40 },
    );
  });

  it('says so when there are fewer shards than replicas', () => {
    const result = computeMap({ partitionCount: 16, replicationFactor: 3, shards: shardsUpTo(2) });
    expect(result).toEqual({ kind: 'tooFewShards', shards: 2, replicationFactor: 3 });
  });

  it('refuses an ordinal or an id given twice', () => {
    const twice = (second: PlacementShard): unknown =>
      computeMap({ partitionCount: 16, replicationFactor: 1, shards: [shard(1), second] });
    expect(() => twice({ ...shard(2), ordinal: 1 })).toThrow('an ordinal twice');
    expect(() => twice({ ...shard(2), id: 'shard-1' })).toThrow('an id twice');
  });
});

describe('computeMap from a current map', () => {
  it('moves at most 1.1 times the minimum as shards come one by one, and as they go again', () => {
    for (const partitionCount of [64, 256, 1024]) {
      let map = place(shardsUpTo(3), { partitionCount });
      const counts = [
        ...range(4, 20),
        ...range(4, 20)
          .reverse()
          .map((count) => count - 1),
      ];
      let before = 3;
      for (const count of counts) {
        const next = place(shardsUpTo(count), { partitionCount, current: map });
        const { moved, minimum } = reportMovement(
          { map, shardCount: before },
          { map: next, shardCount: count },
        );
        expect({ partitionCount, before, count, moved, ok: moved <= Math.ceil(1.1 * minimum) }).toEqual({
          partitionCount,
          before,
          count,
          moved,
          ok: true,
        });
        map = next;
        before = count;
      }
    }
  });

  it('moves at most 1.1 times the minimum when any shard of any history leaves or another joins', () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(1, 3), (seed, zoneCount) => {
        const prng = seededPrng(seed);
        let shards = Array.from({ length: 3 * zoneCount }, (_, i) => shard(i + 1, `zone-${i % zoneCount}`));
        let map = place(shards);
        for (let step = 0; step < 8; step++) {
          const changed = changeOneZoneRound({
            prng,
            shards,
            zoneCount,
            nextOrdinal: 100 + step * zoneCount,
          });
          for (const next of changed) {
            const nextMap = place(next, { current: map });
            expectLittleMovement({ map, shards }, { map: nextMap, shards: next }, zoneCount);
            map = nextMap;
            shards = next;
          }
        }
      }),
      { numRuns: 25 },
    );
  });

  /** One shard of every zone comes or goes, one after the other, so that zones stay of nearly equal size. */
  function changeOneZoneRound(setup: {
    prng: Prng;
    shards: readonly PlacementShard[];
    zoneCount: number;
    nextOrdinal: number;
  }): PlacementShard[][] {
    const { prng, shards, zoneCount, nextOrdinal } = setup;
    const leave = shards.length > 3 * zoneCount && prng.nextBelow(2) === 0;
    const steps: PlacementShard[][] = [];
    let list = [...shards];
    for (let zone = 0; zone < zoneCount; zone++) {
      const own = list.filter((one) => one.zone === `zone-${zone}`);
      const leaving = own[prng.nextBelow(own.length)];
      list = leave
        ? list.filter((one) => one !== leaving)
        : [...list, shard(nextOrdinal + zone, `zone-${zone}`)];
      steps.push(list);
    }
    return steps;
  }

  interface Stage {
    map: readonly PartitionPlacement[];
    shards: readonly PlacementShard[];
  }

  function expectLittleMovement(before: Stage, after: Stage, zoneCount: number): void {
    const { moved } = reportMovement(
      { map: before.map, shardCount: before.shards.length },
      { map: after.map, shardCount: after.shards.length },
    );
    const left = before.shards.find((one) => !after.shards.includes(one));
    const came = after.shards.find((one) => !before.shards.includes(one));
    const zone = (left ?? came)!.zone;
    const stage = left === undefined ? after : before;
    // With as many zones as replicas, each zone holds every partition once, whatever its number of shards.
    const inZone = stage.shards.filter((one) => one.zone === zone).length;
    const minimum = zoneCount === 1 ? (256 * 3) / stage.shards.length : 256 / inZone;
    expect(moved).toBeLessThanOrEqual(Math.ceil(1.1 * minimum));
  }

  it('reaches the same balance through steps that are interrupted', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prng = seededPrng(seed);
        const map = place(shardsUpTo(5));
        const target = place(shardsUpTo(6), { current: map });
        const planned = compareMaps(map, target).moves;
        const done = new Set(planned.map(({ partition }) => partition).filter(() => prng.nextBelow(2) === 0));
        const half = map.map((placement, partition) =>
          done.has(partition) ? target[partition]! : placement,
        );
        const left = compareMaps(half, place(shardsUpTo(6), { current: half })).moves.length;
        expect(left + planned.filter(({ partition }) => done.has(partition)).length).toBeLessThanOrEqual(
          Math.ceil((1.1 * 256 * 3) / 6),
        );
      }),
      { numRuns: 30 },
    );
  });

  it('follows a change of weights', () => {
    const map = place(shardsUpTo(6));
    const heavier = shardsUpTo(6).map((one) => (one.ordinal === 2 ? { ...one, weight: 2 } : one));
    const next = place(heavier, { current: map });
    expect(countReplicas(next, 2)).toBeGreaterThanOrEqual(Math.floor((0.95 * 256 * 3 * 2) / 7));
  });

  it('spreads over zones that were not there before', () => {
    const map = place([shard(1, 'a'), shard(2, 'a'), shard(3, 'a')]);
    const zoned = [shard(1, 'a'), shard(2, 'a'), shard(3, 'a'), shard(4, 'b'), shard(5, 'c')];
    for (const { replicas } of place(zoned, { current: map })) {
      expect(replicas.toSorted()).toEqual([expect.any(Number), 4, 5]);
    }
  });

  it('follows a change of the replication factor', () => {
    const map = place(shardsUpTo(5));
    const more = place(shardsUpTo(5), { current: map, replicationFactor: 5 });
    expect(
      more.every(({ replicas }, i) => map[i]!.replicas.every((ordinal, at) => replicas[at] === ordinal)),
    ).toBe(true);
    const fewer = place(shardsUpTo(5), { current: map, replicationFactor: 1 });
    expect(fewer.every(({ replicas }, i) => map[i]!.replicas.includes(replicas[0]!))).toBe(true);
  });

  it('puts a replacement in the place of what it replaces', () => {
    const map = place(shardsUpTo(6));
    const without = shardsUpTo(6).filter(({ ordinal }) => ordinal !== 4);
    const next = place(without, { current: map });
    map.forEach(({ replicas }, partition) => {
      const kept = replicas.map((ordinal, at) => (ordinal === 4 ? next[partition]!.replicas[at] : ordinal));
      expect(next[partition]!.replicas).toEqual(kept);
    });
  });
});

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
