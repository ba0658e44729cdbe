import { describe, expect, it } from '@jest/globals';
import { LIMITS, ModelCluster, TICK_MS } from '../../test/model-cluster.js';
import { REPLACE_TICKS, placeOf, shards } from '../../test/model-steps.js';
import { type MapEntry, isUnderWay } from './cluster-state.js';

describe('the placement loop, while users wait,', () => {
  const underWay = ({ state }: ModelCluster): number => state.map.filter(isUnderWay).length;
  /** The most moves at once in so many ticks. */
  function watch(cluster: ModelCluster, count: number): number {
    let most = 0;
    for (let tick = 0; tick < count; tick++) {
      cluster.tick();
      most = Math.max(most, underWay(cluster));
    }
    return most;
  }
  const MINUTE_TICKS = 60_000 / TICK_MS;

  /** Three shards become six while users wait at all that there are. */
  function growingBesideUsers(ticksToCopy = 4): ModelCluster {
    const cluster = new ModelCluster({ shards: shards(3), partitionCount: 512, ticksToCopy });
    cluster.settles();
    for (let i = 0; i < 3; i++) cluster.join({});
    for (const ordinal of [1, 2, 3, 4, 5, 6]) cluster.crowded.add(ordinal);
    return cluster;
  }

  it('moves one partition at a time while users wait, then one more each minute', () => {
    const cluster = growingBesideUsers();
    expect(watch(cluster, 2 * MINUTE_TICKS)).toBe(1);
    const waits = new Set(cluster.overview().plan.moves.map(({ waitsFor }) => waitsFor));
    expect([...waits].filter((text) => text.includes('users'))).toEqual([
      expect.stringMatching(/^another move to end, since copies may give way to users at shard-[1-6]$/),
    ]);
    cluster.crowded.clear();
    const most = [1, 2, 3, 4].map(() => watch(cluster, MINUTE_TICKS - 1));
    expect(most).toEqual([1, 2, 3, 4]);
  });

  it('does so however long a copy takes, and whoever leads the coordinators', () => {
    const cluster = growingBesideUsers(3 * MINUTE_TICKS);
    for (let round = 0; round < 8; round++) {
      expect(watch(cluster, MINUTE_TICKS)).toBe(1);
      cluster.changeLeader();
    }
    expect(cluster.copies).toBeGreaterThan(2);
  });

  it('moves as many as it may where users wait nowhere', () => {
    const cluster = growingBesideUsers();
    cluster.crowded.clear();
    expect(watch(cluster, 8)).toBe(LIMITS.movesMax);
  });

  it('lets others go on beside a move that comes no further, while users wait', () => {
    const cluster = growingBesideUsers();
    watch(cluster, 40);
    cluster.stuck.add(4);
    const copiesTo4 = (): boolean => cluster.state.map.some(({ learners }) => learners.includes(4));
    while (!copiesTo4()) cluster.tick();
    const before = cluster.copies;
    watch(cluster, 10 * MINUTE_TICKS);
    expect(copiesTo4()).toBe(true);
    expect(cluster.copies).toBeGreaterThan(before + 200);
  });

  it('replaces replicas that are lost as fast as it may, whoever waits', () => {
    const cluster = new ModelCluster({ shards: shards(5), partitionCount: 512 });
    cluster.settles();
    for (const ordinal of [1, 2, 3, 4, 5]) cluster.crowded.add(ordinal);
    cluster.join({});
    watch(cluster, 400);
    // The move that is under way goes on for ever, and replaces nobody.
    const isBalance = (entry: MapEntry): boolean => isUnderWay(entry) && !entry.replicas.includes(5);
    while (!cluster.state.map.some(isBalance)) cluster.tick();
    cluster.stuck.add(6);
    cluster.kill('shard-5');
    expect(watch(cluster, REPLACE_TICKS + 60)).toBe(LIMITS.movesMax);
    expect(placeOf(cluster, 5)).toBe('replaced');
    expect(watch(cluster, 40)).toBe(LIMITS.movesMax);
  });

  it('lets a shard where users wait begin, too, beside others where none do', () => {
    const cluster = new ModelCluster({ shards: shards(6), partitionCount: 256, ticksToCopy: MINUTE_TICKS });
    cluster.settles();
    cluster.crowded.add(1);
    for (let i = 0; i < 2; i++) cluster.join({});
    const begun: number[] = [];
    cluster.onEntryChange = ({ before, work }) => {
      if (work.kind === 'learn') begun.push(before.preferredLeader);
    };
    watch(cluster, 30 * MINUTE_TICKS);
    const share = begun.filter((leader) => leader === 1).length / begun.length;
    expect(share).toBeGreaterThan(0.08);
  });
});
