import { describe, expect, it } from '@jest/globals';
import { LIMITS, ModelCluster } from '../../test/model-cluster.js';
import { growing, heldBy, shards, ticks } from '../../test/model-steps.js';
import { applyChanges } from './changes.js';
import { type ClusterState, type MapEntry, isUnderWay } from './cluster-state.js';
import { type PlanOverview, describe as overviewOf } from './overview.js';

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

  const newcomers = ['shard-4', 'shard-5', 'shard-6'];
  it.each([6, 20, 60])(
    'takes back what it has begun when newcomers are drained half-way, after %i ticks',
    (count) => {
      const cluster = growing(count);
      const moved = heldBy(cluster, 4, 5, 6);
      const joint = cluster.state.map.filter(({ nextReplicas }) => nextReplicas !== null).length;
      cluster.copies = 0;
      for (const shard of newcomers) cluster.command({ kind: 'drain', shard });
      expect(cluster.settles()).toBe(true);
      // Each replica that has moved goes back once, and nothing else moves.
      expect(cluster.copies).toBeLessThanOrEqual(moved + joint);
      expect(newcomers.every((_, i) => cluster.state.places.get(4 + i)?.state === 'drained')).toBe(true);
    },
  );

  it('works out nothing twice for the same map where its member leads again, and anew for another', () => {
    const cluster = growing(0);
    const { planner } = cluster.loop;
    const { target } = planner.plan(cluster.state);
    // Without having led in between, too.
    const again = planner.ofLaterTerm().ofLaterTerm();
    expect(again.plan(cluster.state).target).toBe(target);
    expect(again.targetsComputed).toBe(0);
    const [first, ...others] = cluster.state.map as [MapEntry, ...MapEntry[]];
    const moved = { ...cluster.state, map: [{ ...first, epoch: first.epoch + 1 }, ...others] };
    const anew = again.ofLaterTerm();
    expect(anew.plan(moved).target).not.toBe(target);
    expect(anew.targetsComputed).toBe(1);
    const grown = planner.ofLaterTerm();
    cluster.join({});
    cluster.tick();
    grown.plan(cluster.state);
    expect(grown.targetsComputed).toBe(1);
  });

  it.each([3, 8, 30])('stops a drain that is undone after %i ticks', (count) => {
    const cluster = new ModelCluster({ shards: shards(6), partitionCount: 64 });
    cluster.settles();
    cluster.command({ kind: 'drain', shard: 'shard-2' });
    const before = heldBy(cluster, 2);
    ticks(cluster, count);
    const left = before - heldBy(cluster, 2);
    cluster.copies = 0;
    cluster.command({ kind: 'undrain', shard: 'shard-2' });
    expect(cluster.settles()).toBe(true);
    const joint = 4;
    expect(cluster.copies).toBeLessThanOrEqual(left + joint);
    expect(heldBy(cluster, 2)).toBeGreaterThanOrEqual(0.9 * before);
  });

  it('changes four preferred leaders at a time, and none while anything moves', () => {
    const cluster = new ModelCluster({ shards: shards(3), partitionCount: 64 });
    cluster.settles();
    const allAtOne = (): void => {
      const map = cluster.state.map.map((entry) => ({ ...entry, preferredLeader: 1 }));
      cluster.state = { ...cluster.state, map };
    };
    const leads = (): number => cluster.changes.filter(({ work }) => work.kind === 'lead').length;
    allAtOne();
    const perTick: number[] = [];
    while (cluster.overview().plan.leaderChanges > 0) {
      const before = leads();
      cluster.tick();
      perTick.push(leads() - before);
    }
    expect(leads()).toBeGreaterThan(4);
    expect(Math.max(...perTick)).toBe(4);
    allAtOne();
    cluster.join({});
    while (!cluster.state.map.some(isUnderWay)) cluster.tick();
    const before = leads();
    while (cluster.state.map.some(isUnderWay)) cluster.tick();
    expect(leads()).toBe(before);
  });

  it('moves nothing for a weight that is set and set back before anything has begun', () => {
    const cluster = new ModelCluster({ shards: shards(6), partitionCount: 64 });
    cluster.settles();
    cluster.copies = 0;
    const before = JSON.stringify(cluster.state.map.map(({ replicas }) => replicas));
    cluster.command({ kind: 'pause' });
    cluster.command({ kind: 'weight', shard: 'shard-1', weight: 3 });
    cluster.tick();
    expect(cluster.overview().plan.movesTotal).toBeGreaterThan(20);
    cluster.command({ kind: 'weight', shard: 'shard-1', weight: 1 });
    cluster.command({ kind: 'resume' });
    expect(cluster.settles()).toBe(true);
    expect(cluster.copies).toBe(0);
    expect(JSON.stringify(cluster.state.map.map(({ replicas }) => replicas))).toBe(before);
  });

  it('counts moves, whatever each of them adds or removes', () => {
    const cluster = new ModelCluster({ shards: shards(6) });
    cluster.settles();
    const { state, loop, nowMs } = cluster;
    const of = (change: Partial<ClusterState>): PlanOverview => {
      const now = { ...state, ...change };
      const look = loop.imagine(now, nowMs);
      return overviewOf({ state: now, look, reports: loop.reports, initialLimits: LIMITS }).plan;
    };
    const withoutTwo = new Map(
      [...state.places].map(([ordinal, place]) => [
        ordinal,
        ordinal < 3 ? { ...place, state: 'draining' as const } : place,
      ]),
    );
    const both = of({ places: withoutTwo });
    expect(both.movesTotal).toBe(both.moves.length);
    expect(both.movesTotal).toBe(state.map.filter(({ replicas }) => replicas.some((one) => one < 3)).length);
    const fewer = of({ replicationFactor: 2 });
    expect([fewer.movesTotal, fewer.moves.length]).toEqual([32, 32]);
    expect(fewer.moves.every(({ add }) => add === null)).toBe(true);
  });

  it('ends in the same number of copies when the leader of the coordinators changes all the time', () => {
    const cluster = growing(1);
    for (let i = 0; i < 200; i++) {
      cluster.tick();
      if (i % 3 === 0) cluster.changeLeader();
    }
    expect(cluster.settles()).toBe(true);
    expect(cluster.copies).toBeLessThanOrEqual(1.1 * ((64 * 3) / 2));
  });

  it('says what each move waits for', () => {
    const cluster = growing(3);
    cluster.kill('shard-5');
    const waits = new Set<string>();
    for (let tick = 0; tick < 8; tick++) {
      cluster.tick();
      for (const { waitsFor } of cluster.overview().plan.moves) waits.add(waitsFor);
    }
    expect(waits).toContain('shard-5, which is suspect');
    expect(waits).toContain('shard-4 to have copied the partition');
    expect(waits).toContain('its leader to say that both sets follow');
    expect(waits).toContain('one of the 4 moves that may be under way to end');
    cluster.command({ kind: 'pause' });
    expect(cluster.overview().plan.moves.every(({ waitsFor }) => waitsFor === 'placement is paused')).toBe(
      true,
    );
  });

  it('refuses to remove a shard that is joining where the others are too few', () => {
    const cluster = new ModelCluster({ shards: shards(3) });
    cluster.settles();
    cluster.forget('shard-1');
    const [admitted] = cluster.loop.look(cluster.state, cluster.nowMs).work;
    cluster.state = applyChanges(cluster.state, admitted!.changes)!;
    expect(cluster.state.places.get(4)?.state).toBe('joining');
    for (const kind of ['drain', 'remove'] as const) {
      expect(cluster.command({ kind, shard: 'shard-1' })).toMatchObject({ code: 'REPLICATION_AT_RISK' });
    }
    cluster.join({});
    expect(cluster.settles()).toBe(true);
  });
});
