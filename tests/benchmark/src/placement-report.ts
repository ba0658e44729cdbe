/**
 * How even the partition map is with 3, 4, 6 and 12 shards, and what moves from 3 to each of the others. No cluster needed.
 */
import { computeMap, reportBalance, reportMovement } from '@ringleader/placement';
import type { PartitionPlacement, PlacementShard } from '@ringleader/placement';

const PARTITIONS = 256;
const REPLICATION_FACTOR = 3;
const BEFORE = 3;
const AFTER = [3, 4, 6, 12];

function shards(count: number): PlacementShard[] {
  return Array.from({ length: count }, (_, i) => ({
    ordinal: i + 1,
    id: `shard-${i + 1}`,
    zone: '',
    weight: 1,
  }));
}

function place(count: number, current: readonly PartitionPlacement[]): readonly PartitionPlacement[] {
  const request = {
    partitionCount: PARTITIONS,
    replicationFactor: REPLICATION_FACTOR,
    shards: shards(count),
    current,
  };
  const result = computeMap(request);
  if (result.kind !== 'placed') throw new Error(`${count} shards are too few`);
  return result.partitions;
}

export function placementReport(): string {
  const before = { map: place(BEFORE, []), shardCount: BEFORE };
  const rows = AFTER.map((count) => {
    const map = place(count, before.map);
    const { replicas, leaders } = reportBalance(map, shards(count));
    const { moved, minimum } = reportMovement(before, { map, shardCount: count });
    const range = ({ min, max }: { min: number; max: number }): string =>
      `${min.toFixed(2)} to ${max.toFixed(2)}`;
    const movement =
      count === BEFORE ? ['-', '-', '-'] : [moved, minimum.toFixed(0), (moved / minimum).toFixed(2)];
    return `| ${[count, range(replicas), range(leaders), ...movement].join(' | ')} |`;
  });
  return [
    `${PARTITIONS} partitions x ${REPLICATION_FACTOR} replicas; loads relative to their mean; moves from ${BEFORE} shards`,
    '',
    '| shards | replicas | leaders | moved | minimum | ratio |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}
