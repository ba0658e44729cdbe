/**
 * The key space is cut into a power of two of equal arcs of the 64-bit ring (docs/ARCHITECTURE.md, "The ring and
 * the map"): a partition index is simply the top bits of a key's hash.
 */
import { invariant, type PartitionIndex } from '@ringleader/primitives';
import { xxh64 } from './xxh64.js';

export const PARTITION_COUNT_MIN = 16;
export const PARTITION_COUNT_MAX = 16384;

/** Of a cluster, by its configuration. */
export function isPartitionCount(count: number): boolean {
  return isArcCount(count) && count >= PARTITION_COUNT_MIN;
}

/** What can be computed with: a simulated cluster has fewer than a real one may. */
export function isArcCount(count: number): boolean {
  return Number.isInteger(count) && count >= 2 && count <= PARTITION_COUNT_MAX && (count & (count - 1)) === 0;
}

/**
 * The part of a key that is hashed, when it is not the whole: what stands between the first `{` and the first `}` after
 * it, unless that is empty. Redis Cluster's rule, so that keys which share a tag share a partition.
 */
export function hashTag(key: string): string | undefined {
  const open = key.indexOf('{');
  if (open === -1) return undefined;
  const close = key.indexOf('}', open + 1);
  return close > open + 1 ? key.slice(open + 1, close) : undefined;
}

/** `partitionCount` must satisfy isPartitionCount. */
export function partitionOf(key: string, partitionCount: number): PartitionIndex {
  // Number(hash >> 32) is exact; 32 - log2(count) more bits to drop leave the top ones.
  return Number(xxh64(hashTag(key) ?? key) >> 32n) >>> (Math.clz32(partitionCount) + 1);
}

/** The first point of a partition's arc on the ring. */
export function partitionStart(partition: PartitionIndex, partitionCount: number): bigint {
  invariant(isArcCount(partitionCount), 'partitionStart: not a partition count');
  invariant(partition >= 0 && partition < partitionCount, 'partitionStart: no such partition');
  return (BigInt(partition) << 64n) / BigInt(partitionCount);
}
