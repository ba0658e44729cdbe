/** What cases about the placement loop are made of. */
import { LIMITS, ModelCluster, TICK_MS } from './model-cluster.js';

/** After them a shard that is down is given up. */
export const REPLACE_TICKS = LIMITS.replaceAfterMs / TICK_MS;

export const shards = (count: number, zone?: string): { zone?: string }[] =>
  Array.from({ length: count }, () => (zone === undefined ? {} : { zone }));

export function ticks(cluster: ModelCluster, count: number): void {
  for (let tick = 0; tick < count; tick++) cluster.tick();
}

/** Three shards become six; so many ticks have passed since. */
export function growing(count: number): ModelCluster {
  const cluster = new ModelCluster({ shards: shards(3), partitionCount: 64 });
  cluster.settles();
  for (let i = 0; i < 3; i++) cluster.join({});
  ticks(cluster, count);
  return cluster;
}

/** How many replicas they are. */
export const heldBy = (cluster: ModelCluster, ...ordinals: number[]): number =>
  cluster.state.map.flatMap(({ replicas }) => replicas).filter((ordinal) => ordinals.includes(ordinal))
    .length;

export const placeOf = (cluster: ModelCluster, ordinal: number): string | undefined =>
  cluster.state.places.get(ordinal)?.state;
