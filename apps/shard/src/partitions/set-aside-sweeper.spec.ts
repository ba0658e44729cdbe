import { describe, expect, it } from '@jest/globals';
import type { PartitionEntry } from '@ringleader/contracts';
import { unnamedIn } from './set-aside-sweeper.js';

const entry = (changes: Partial<PartitionEntry>): PartitionEntry => ({
  ...{ partition: 0, epoch: 1, replicas: [4, 5, 6], nextReplicas: null, learners: [], preferredLeader: 4 },
  ...changes,
});
const aside = (ordinal: number) => ({ schema: `ringleader_forgotten_${ordinal}_1`, ordinal });

describe('what is set aside is needed no more', () => {
  it.each([
    ['when the map names its ordinal nowhere', [entry({})], [1]],
    ['not while it is a replica', [entry({}), entry({ replicas: [1, 5, 6] })], []],
    ['not while it is one of a joint epoch', [entry({ nextReplicas: [4, 5, 1] })], []],
    ['not while it learns', [entry({ learners: [1] })], []],
    [
      'not where it was lost: nobody else has it',
      [entry({ recovery: { times: 1, epoch: 1, kept: [3], lost: [1, 2] } })],
      [],
    ],
    ['not before there is a map', [], []],
  ])('%s', (_, map, expected) => {
    expect(unnamedIn(map, 7, [aside(1)]).map(({ ordinal }) => ordinal)).toEqual(expected);
  });

  it('not where the shard has a lower ordinal by now: that is another cluster', () => {
    expect(unnamedIn([entry({})], 2, [aside(1), aside(2), aside(9)])).toEqual([aside(1)]);
  });
});
