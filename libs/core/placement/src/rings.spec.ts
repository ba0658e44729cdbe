import { describe, expect, it } from '@jest/globals';
import { buildRing, type RingMember } from '@ringleader/hash-ring';
import fc from 'fast-check';
import { computeMap } from './placement.js';
import { RING_WEIGHT_MAX, Rings } from './rings.js';

class AskedRings extends Rings {
  asked: readonly RingMember[] = [];

  override walker(members: readonly RingMember[]): ReturnType<Rings['walker']> {
    this.asked = members;
    return super.walker(members.map(({ id }) => ({ id, weight: 1 })));
  }
}

describe('Rings', () => {
  it('walks as a new ring of just these members would, whoever was there before', () => {
    const members = fc.uniqueArray(
      fc.record({ id: fc.constantFrom(...'abcdefgh'), weight: fc.constantFrom(0.02, 0.05) }),
      { minLength: 1, maxLength: 8, selector: ({ id }) => id },
    );
    fc.assert(
      fc.property(
        fc.array(members, { minLength: 1, maxLength: 6 }),
        fc.bigInt(0n, 2n ** 64n - 1n),
        (lists, from) => {
          const rings = new Rings();
          for (const list of lists) {
            expect([...rings.walker(list)(from)]).toEqual([...buildRing(list).walk(from)]);
          }
        },
      ),
    );
  });

  it('are asked for so many points as can be hashed at once, however great the weights are', () => {
    const standing = (weights: readonly number[]): readonly number[] => {
      const rings = new AskedRings();
      const shards = weights.map((weight, i) => ({ ordinal: i + 1, id: `shard-${i + 1}`, zone: '', weight }));
      expect(computeMap({ partitionCount: 16, replicationFactor: 3, shards, rings }).kind).toBe('placed');
      return rings.asked.map(({ weight }) => weight);
    };
    expect(standing([0.5, 1, 100])).toEqual([0.5, 1, 100]);
    const weights = [...Array.from({ length: 30 }, () => 1_000), 500];
    const stood = standing(weights);
    const total = stood.reduce((sum, weight) => sum + weight, 0);
    expect(total).toBeLessThanOrEqual(RING_WEIGHT_MAX);
    expect(total).toBeGreaterThan(RING_WEIGHT_MAX / 2);
    expect(stood.map((weight) => weight / stood[0]!)).toEqual(weights.map((weight) => weight / 1_000));
  });
});
