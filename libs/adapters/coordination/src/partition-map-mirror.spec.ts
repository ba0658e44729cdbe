import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type OperationalError, type PartitionEntry, partitionKey } from '@ringleader/contracts';
import { until } from '@ringleader/testing-servers';
import { FakeCoordinator } from '../test/fake-coordinator.js';
import { ManualClock } from '../test/manual-clock.js';
import { PartitionMapMirror } from './partition-map-mirror.js';

const WAIT = { timeoutMs: 5_000, everyMs: 1 };
const PARTITIONS = 4;

describe('PartitionMapMirror, of entries that this version cannot read', () => {
  let coordinator: FakeCoordinator;
  let mirror: PartitionMapMirror;
  let heard: PartitionEntry[];
  let troubles: OperationalError[];

  beforeEach(() => {
    coordinator = new FakeCoordinator();
    heard = [];
    troubles = [];
    mirror = new PartitionMapMirror({
      client: coordinator,
      clock: new ManualClock(),
      onChange: (changed) => heard.push(...changed),
      onTrouble: (error) => troubles.push(error),
    });
  });
  afterEach(() => mirror.stop());

  const entryOf = (partition: number, epoch: number): PartitionEntry => {
    const replicas = [1, 2, 3];
    return { partition, epoch, replicas, nextReplicas: null, learners: [], preferredLeader: 1 };
  };
  const readable = (partition: number, epoch = 1): [string, string] => [
    partitionKey(partition),
    JSON.stringify(entryOf(partition, epoch)),
  ];
  const unreadable = (partition: number): [string, string] => [partitionKey(partition), '{"epoch":2}'];
  const epochs = (): (number | undefined)[] =>
    Array.from({ length: PARTITIONS }, (_, partition) => mirror.entry(partition)?.epoch);

  it('stay as they were, and hide nothing that came with them', async () => {
    coordinator.put(...[0, 1, 2, 3].map((partition) => readable(partition)));
    await mirror.start();
    coordinator.put(readable(0, 2), unreadable(1), readable(2, 2));
    await until('the others', () => mirror.entry(2)?.epoch === 2, WAIT);
    expect(epochs()).toEqual([2, 1, 2, 1]);
    expect(mirror.unreadable).toBe(1);
    expect(heard.slice(PARTITIONS).map(({ partition }) => partition)).toEqual([0, 2]);
    coordinator.put(readable(1, 3));
    await until('it to be readable', () => mirror.entry(1)?.epoch === 3, WAIT);
    expect(mirror.unreadable).toBe(0);
    expect(troubles).toMatchObject([{ code: 'INTERNAL', details: { key: partitionKey(1) } }]);
  });

  it.each([0, 1, PARTITIONS - 1])('count as partitions where they never were: %i', async (partition) => {
    const others = [0, 1, 2, 3].filter((other) => other !== partition);
    coordinator.put(...others.map((other) => readable(other)), unreadable(partition));
    await mirror.start();
    expect(mirror.partitionCount).toBe(PARTITIONS);
    expect(mirror.entries.map((entry) => entry.partition)).toEqual(others);
    expect(mirror.entry(partition)).toBeUndefined();
    expect(heard.map((entry) => entry.partition)).toEqual(others);
  });
});
