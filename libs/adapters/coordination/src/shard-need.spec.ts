import { describe, expect, it } from '@jest/globals';
import {
  type PartitionEntry,
  type ShardRegistration,
  partitionKey,
  shardKey,
  shardPlaceKey,
  verdictKey,
} from '@ringleader/contracts';
import { FakeCoordinator } from '../test/fake-coordinator.js';
import { inNeedOf, partitionsInNeedOf, type ShardsKnown } from './shard-need.js';

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
  replaced: new Set(),
  down: new Set(),
  ...changes,
});
describe('which partitions cannot do without a shard', () => {
  it.each([
    ['none, when the others are there', {}, []],
    ['those with another one down', { down: new Set(['shard-2']) }, [0]],
    ['those with another one replaced', { replaced: new Set([4]) }, [2]],
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

  it.each([
    ['those of which nobody can read who has them', partitionKey(2), [2]],
    ['those with another one of which nobody can read what it is', shardKey('shard-2'), [0]],
    [
      'those with another one of which nobody can read whether it is down',
      verdictKey('shard', 'shard-2'),
      [0],
    ],
    ['those with another one of which nobody can read whether it is replaced', shardPlaceKey(2), [0]],
    ['none of a matter of its own', shardKey('shard-5'), []],
  ])('%s', async (_, unreadable, expected) => {
    const coordinator = new FakeCoordinator();
    const { entries, registrations } = known({});
    for (const one of entries) coordinator.put([partitionKey(one.partition), JSON.stringify(one)]);
    for (const one of registrations) coordinator.put([shardKey(one.shardId), JSON.stringify(one)]);
    coordinator.put([unreadable, '{"of": "another version"}']);
    expect(await partitionsInNeedOf(coordinator, 1)).toEqual(expected);
  });
});
