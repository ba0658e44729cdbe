import { describe, expect, it } from '@jest/globals';
import { ModelCluster } from '../../test/model-cluster.js';

const shards = (count: number, zone?: string): { zone?: string }[] =>
  Array.from({ length: count }, () => (zone === undefined ? {} : { zone }));

describe('the placement loop', () => {
  it('leaves a cluster of the version before as it is, and knows who takes part', () => {
    const cluster = new ModelCluster({ shards: shards(3) });
    const { map } = cluster.state;
    expect(cluster.settles()).toBe(true);
    expect(cluster.state.map).toEqual(map);
    expect([...cluster.state.places.values()].map(({ state }) => state)).toEqual([
      'active',
      'active',
      'active',
    ]);
    expect(cluster.transactions).toBe(1);
  });

  it('goes from 3 shards to 6 and back, with as few copies as it takes', () => {
    const cluster = new ModelCluster({ shards: shards(3), partitionCount: 64 });
    cluster.settles();
    for (let i = 0; i < 3; i++) cluster.join({});
    expect(cluster.settles()).toBe(true);
    expect(cluster.copies).toBeLessThanOrEqual(1.1 * ((64 * 3) / 2));
    cluster.copies = 0;
    for (const shard of ['shard-4', 'shard-5', 'shard-6']) cluster.command({ kind: 'drain', shard });
    expect(cluster.settles()).toBe(true);
    expect(cluster.copies).toBeLessThanOrEqual(1.1 * ((64 * 3) / 2));
    expect(cluster.state.places.get(6)?.state).toBe('drained');
    expect(cluster.command({ kind: 'remove', shard: 'shard-6' }).kind).toBe('changes');
    expect(cluster.state.places.has(6)).toBe(false);
  });
});
