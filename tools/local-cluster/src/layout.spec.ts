import { describe, expect, it } from '@jest/globals';
import {
  coordinatorSeats,
  nextLayout,
  shardsOf,
  withJoined,
  withRemoved,
  withShard,
  withoutShard,
  type Layout,
} from './layout.js';

const PRESENT: Layout = { formatVersion: 1, coordinators: 3, shards: 5, initialShards: 3 };

describe('nextLayout', () => {
  it('takes what is wanted for an empty folder', () => {
    expect(nextLayout(undefined, { coordinators: 3, shards: 4 }, 'd')).toEqual({
      formatVersion: 1,
      coordinators: 3,
      shards: 4,
      initialShards: 4,
    });
  });

  it('lets shards be added, and remembers with how many the cluster began', () => {
    const next = nextLayout(PRESENT, { coordinators: 3, shards: 6 }, 'd');
    expect(next).toEqual({ ...PRESENT, shards: 6 });
  });

  it('takes as many shards as there are, whichever were removed', () => {
    const indexesOf = (present: Layout, shards: number): number[] =>
      shardsOf(nextLayout(present, { coordinators: 3, shards }, 'd')).map(({ index }) => index);
    const without = withoutShard(PRESENT, 2);
    for (const shards of [4, 5]) expect(indexesOf(without, shards)).toEqual([1, 3, 4, 5]);
    expect(indexesOf(without, 6)).toEqual([1, 3, 4, 5, 6]);
    expect(() => indexesOf(without, 3)).toThrow(/written by 4 shards.*--shards 4/);
    // It came back while the cluster ran.
    expect(indexesOf(withShard(without, { index: 2 }), 4)).toEqual([1, 2, 3, 4, 5]);
    expect(indexesOf(withShard(PRESENT, { index: 6 }), 5)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('refuses fewer shards, and another number of coordinators', () => {
    expect(() => nextLayout(PRESENT, { coordinators: 3, shards: 4 }, 'd')).toThrow(
      /written by 5 shards.*--shards 5/,
    );
    expect(() => nextLayout(PRESENT, { coordinators: 5, shards: 5 }, 'd')).toThrow(
      /3 coordinators.*--coordinators 3/,
    );
  });
});

describe('coordinators that come and go', () => {
  const founded: Layout = { formatVersion: 1, coordinators: 3, shards: 1, initialShards: 1 };

  it('run at the next start where they were added, and not where they were removed', () => {
    const grown = withJoined(withJoined(founded, 4), 5);
    expect(coordinatorSeats(grown)).toEqual([1, 2, 3, 4, 5]);
    expect(coordinatorSeats(withRemoved(withRemoved(grown, 2), 5))).toEqual([1, 3, 4]);
    expect(coordinatorSeats(withJoined(withRemoved(grown, 2), 2))).toEqual([1, 2, 3, 4, 5]);
  });
});
