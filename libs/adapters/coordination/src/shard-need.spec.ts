import { describe, expect, it } from '@jest/globals';
import type { PartitionEntry, ShardPlace, ShardRegistration } from '@ringleader/contracts';
import { inNeedOf, type ShardsKnown } from './shard-need.js';

const registration = (ordinal: number): ShardRegistration => ({
  ...{ shardId: `shard-${ordinal}`, ordinal, zone: '', weight: 1, incarnation: 1 },
  ...{ systemIdentifier: '1', timeline: 1, walPosition: '0/1' },
});
const entry = (
  partition: number,
  replicas: number[],
  nextReplicas: number[] | null = null,
): PartitionEntry => ({
  ...{ partition, epoch: 1, replicas, nextReplicas, learners: [], preferredLeader: replicas[0]! },
});
const known = (changes: Partial<ShardsKnown>): ShardsKnown => ({
  entries: [entry(0, [1, 2, 3]), entry(1, [2, 3, 4]), entry(2, [1, 3, 4])],
  registrations: [1, 2, 3, 4].map(registration),
  places: [],
  down: new Set(),
  ...changes,
});
const replaced = (ordinal: number): ShardPlace => ({
  ...{ ordinal, shardId: `shard-${ordinal}`, state: 'replaced', zone: '', weight: 1, weightIsSet: false },
  since: '2026-01-01T00:00:00.000Z',
});

describe('which partitions cannot do without a shard', () => {
  it.each([
    ['none, when the others are there', {}, []],
    ['those with another one down', { down: new Set(['shard-2']) }, [0]],
    ['those with another one replaced', { places: [replaced(4)] }, [2]],
    [
      'those with another one that sets its database aside',
      { registrations: [1, 2, 3].map(registration).concat({ ...registration(4), setsAside: true }) },
      [2],
    ],
    [
      'those with another ordinal that nobody has any more',
      { registrations: [1, 2, 4].map(registration) },
      [0, 2],
    ],
    ['all, without copies', { entries: [entry(0, [1]), entry(1, [2])] }, [0]],
    ['those of two, of which both are a majority', { entries: [entry(0, [1, 2])] }, [0]],
    ['none, without a map', { entries: [] }, []],
    ['a joint epoch by its old set', { entries: [entry(0, [1, 2, 5], [2, 3, 4])] }, [0]],
    ['a joint epoch by its new set', { entries: [entry(0, [2, 3, 4], [1, 2, 5])] }, [0]],
    ['no joint epoch with both', { entries: [entry(0, [1, 2, 3], [2, 3, 4])] }, []],
    ['its own verdict counts for nothing', { down: new Set(['shard-1']) }, []],
  ] as const)('%s', (_, changes, expected) => {
    expect(inNeedOf(1, known(changes))).toEqual(expected);
  });
});
