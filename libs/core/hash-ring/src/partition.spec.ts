import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hashTag, isPartitionCount, partitionOf, partitionStart } from './partition.js';
import { xxh64 } from './xxh64.js';

const partitionCounts = fc.integer({ min: 4, max: 14 }).map((bits) => 2 ** bits);

describe('hashTag', () => {
  it.each([
    ['user1000', undefined],
    ['{user1000}.following', 'user1000'],
    ['foo{}{bar}', undefined],
    ['foo{{bar}}zap', '{bar'],
    ['foo{bar}{zap}', 'bar'],
    ['foo{bar', undefined],
    ['foo}bar{', undefined],
    ['}{x}', 'x'],
    ['', undefined],
  ])('of %p is %p, by the rules of Redis Cluster', (key, tag) => {
    expect(hashTag(key)).toBe(tag);
  });
});

describe('partitionOf', () => {
  it('is the top bits of the hash of the tag, or else of the key', () => {
    const key = fc.string({ unit: fc.constantFrom('{', '}', 'a', 'b', 'é', '漢'), maxLength: 12 });
    fc.assert(
      fc.property(key, partitionCounts, (text, count) => {
        const expected = (xxh64(hashTag(text) ?? text) * BigInt(count)) >> 64n;
        expect(BigInt(partitionOf(text, count))).toBe(expected);
      }),
    );
  });

  it('puts a hash into the arc that begins at or before it', () => {
    fc.assert(
      fc.property(fc.string(), partitionCounts, (text, count) => {
        const partition = partitionOf(text, count);
        const hash = xxh64(hashTag(text) ?? text);
        expect(hash >= partitionStart(partition, count)).toBe(true);
        if (partition + 1 < count) expect(hash < partitionStart(partition + 1, count)).toBe(true);
      }),
    );
  });
});

describe('isPartitionCount', () => {
  it('allows the powers of two from 16 to 16384 only', () => {
    const allowed = Array.from({ length: 40000 }, (_, n) => n).filter(isPartitionCount);
    expect(allowed).toEqual([16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]);
    expect(isPartitionCount(16.5)).toBe(false);
  });
});
