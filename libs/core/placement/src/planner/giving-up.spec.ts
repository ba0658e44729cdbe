import { describe, expect, it } from '@jest/globals';
import { LIMITS, ModelCluster } from '../../test/model-cluster.js';
import { REPLACE_TICKS, heldBy, placeOf, shards, ticks } from '../../test/model-steps.js';

describe('the placement loop, where shards stay down,', () => {
  it('gives up shards that stay down, one at a time', () => {
    const zones = ['a', 'b', 'c'].flatMap((zone) => shards(3, zone));
    const cluster = new ModelCluster({ shards: zones });
    cluster.settles();
    cluster.kill('shard-1');
    cluster.kill('shard-2');
    ticks(cluster, REPLACE_TICKS);
    expect([1, 2].map((ordinal) => placeOf(cluster, ordinal))).toEqual(['active', 'active']);
    ticks(cluster, REPLACE_TICKS / 2);
    expect([1, 2].map((ordinal) => placeOf(cluster, ordinal))).toEqual(['replaced', 'active']);
    expect(cluster.settles()).toBe(true);
    ticks(cluster, REPLACE_TICKS);
    expect([1, 2].map((ordinal) => placeOf(cluster, ordinal))).toEqual(['replaced', 'replaced']);
    expect(cluster.settles()).toBe(true);
    expect(heldBy(cluster, 1, 2)).toBe(0);
  });

  it('gives up nobody for what was written before a stop of all, nor who serves, nor while it is paused', () => {
    const cluster = new ModelCluster({ shards: shards(5) });
    cluster.settles();
    cluster.kill('shard-4');
    ticks(cluster, 20);
    expect(cluster.state.verdicts.get('shard-4')?.verdict).toBe('down');
    const stopped = cluster.state;
    cluster.nowMs += 24 * 3_600_000;
    cluster.changeLeader();
    const look = cluster.loop.look(stopped, cluster.nowMs);
    expect(look.work).toEqual([]);
    const at = cluster.nowMs + LIMITS.replaceAfterMs;
    expect(cluster.loop.look(stopped, at - 1).places.notes).toEqual([]);
    expect(cluster.loop.look(stopped, at).places.notes).toMatchObject([
      { shardId: 'shard-4', to: 'replaced' },
    ]);
    const present = new Map([...stopped.present, ['shard-4', { ordinal: 4, isServing: true }]]);
    expect(cluster.loop.look({ ...stopped, present }, at).places.notes).toEqual([]);
    const idle = new Map([...stopped.present, ['shard-4', { ordinal: 4, isServing: false }]]);
    expect(cluster.loop.look({ ...stopped, present: idle }, at).places.notes).toHaveLength(1);
    const control = { ...stopped.control!, paused: true };
    expect(cluster.loop.look({ ...stopped, control }, at).places.notes).toEqual([]);
  });

  it('gives up nobody whom a partition needs, and not so many that too few are left', () => {
    const cluster = new ModelCluster({ shards: shards(5) });
    cluster.settles();
    cluster.kill('shard-4');
    cluster.kill('shard-5');
    ticks(cluster, 3 * REPLACE_TICKS);
    expect([4, 5].map((ordinal) => placeOf(cluster, ordinal))).toEqual(['active', 'active']);
    expect(cluster.overview().plan.blocked).toMatch(
      /^shard-4 is down and is not given up: without it partition/,
    );
    cluster.start('shard-5');
    ticks(cluster, 3);
    expect(cluster.settles()).toBe(true);
    expect(placeOf(cluster, 4)).toBe('replaced');
    cluster.kill('shard-5');
    ticks(cluster, 2 * REPLACE_TICKS);
    expect(cluster.settles()).toBe(true);
    expect(placeOf(cluster, 5)).toBe('replaced');
    cluster.kill('shard-3');
    ticks(cluster, 2 * REPLACE_TICKS);
    expect(placeOf(cluster, 3)).toBe('active');
    expect(cluster.overview().plan.blocked).toMatch(/^shard-3 has been down for too long/);
  });

  it('gives up nobody whom a partition needs while another shard runs without its database', () => {
    const cluster = new ModelCluster({ shards: shards(5) });
    cluster.settles();
    cluster.withoutDatabase.add(5);
    cluster.kill('shard-4');
    ticks(cluster, 3 * REPLACE_TICKS);
    expect(placeOf(cluster, 4)).toBe('active');
    expect(cluster.overview().plan.blocked).toMatch(
      /^shard-4 is down .* \(shard-5 runs, and does not serve\)\. .* recover --lost shard-4$/,
    );
    cluster.withoutDatabase.clear();
    expect(cluster.settles()).toBe(true);
    expect(placeOf(cluster, 4)).toBe('replaced');
  });
});
