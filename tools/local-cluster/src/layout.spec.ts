import { describe, expect, it } from '@jest/globals';
import { nextLayout, type Layout } from './layout.js';

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

  it('refuses fewer shards, and another number of coordinators', () => {
    expect(() => nextLayout(PRESENT, { coordinators: 3, shards: 4 }, 'd')).toThrow(
      /written by 5 shards.*--shards 5/,
    );
    expect(() => nextLayout(PRESENT, { coordinators: 5, shards: 5 }, 'd')).toThrow(
      /3 coordinators.*--coordinators 3/,
    );
  });
});
