import { describe, expect, it } from '@jest/globals';
import { ModelCluster, TICK_MS } from '../../test/model-cluster.js';
import { growing, placeOf, shards, ticks } from '../../test/model-steps.js';
import type { MapEntry } from './cluster-state.js';

describe('the placement loop, where something comes no further,', () => {
  it('does not wait for ever for a newcomer that is up and takes nothing in', () => {
    const cluster = growing(0);
    cluster.stuck.add(4);
    const STANDSTILL_TICKS = 600_000 / TICK_MS;
    ticks(cluster, STANDSTILL_TICKS - 10);
    expect(cluster.changes.filter(({ work }) => work.kind === 'abandon')).toEqual([]);
    ticks(cluster, 4 * STANDSTILL_TICKS);
    expect(
      cluster.loop.planner
        .fork()
        .plan(cluster.state)
        .wanted.every(({ add }) => add === 4),
    ).toBe(true);
    cluster.stuck.clear();
    expect(cluster.settles()).toBe(true);
  });

  it.each([
    ['leaderless', 'learn', 600_000],
    ['leaderless', 'joint', 3_600_000],
    ['notFollowed', 'joint', 3_600_000],
  ] as const)(
    'does not wait for ever for a partition that is %s, while others wait (%s)',
    (kind, phase, mostMs) => {
      const cluster = new ModelCluster({ shards: shards(3), partitionCount: 16 });
      cluster.settles();
      cluster.command({ kind: 'limits', limits: { movesMax: 1 } });
      for (let i = 0; i < 3; i++) cluster.join({});
      const isIn = ({ nextReplicas, learners }: MapEntry): boolean =>
        phase === 'joint' ? nextReplicas !== null : learners.length > 0;
      while (!cluster.state.map.some(isIn)) cluster.tick();
      const standing = cluster.state.map.filter(isIn);
      for (const { partition } of standing) cluster[kind].add(partition);
      const STANDSTILL_TICKS = mostMs / TICK_MS;
      ticks(cluster, STANDSTILL_TICKS - 10);
      expect(cluster.changes.filter(({ work }) => work.kind === 'abandon')).toEqual([]);
      ticks(cluster, standing.length * STANDSTILL_TICKS);
      const { wanted } = cluster.loop.planner.fork().plan(cluster.state);
      const isStanding = ({ partition }: { readonly partition: number }): boolean =>
        standing.some((one) => one.partition === partition);
      expect(wanted.filter((move) => !isStanding(move))).toEqual([]);
      cluster[kind].clear();
      expect(cluster.settles()).toBe(true);
    },
  );

  it('replaces a lost replica of what stood still before it moves anything for balance', () => {
    const cluster = new ModelCluster({ shards: shards(3), partitionCount: 16 });
    cluster.settles();
    cluster.command({ kind: 'limits', limits: { movesMax: 1 } });
    for (let i = 0; i < 3; i++) cluster.join({});
    const isLearning = ({ learners }: MapEntry): boolean => learners.length > 0;
    while (!cluster.state.map.some(isLearning)) cluster.tick();
    const { partition: standing } = cluster.state.map.find(isLearning)!;
    cluster.leaderless.add(standing);
    while (!cluster.changes.some(({ work }) => work.kind === 'abandon')) cluster.tick();
    cluster.kill('shard-1');
    while (placeOf(cluster, 1) !== 'replaced') cluster.tick();
    cluster.tick();
    const { moves } = cluster.overview().plan;
    const planned = moves.filter(({ phase }) => phase === 'planned');
    const lost = planned.filter(({ reason }) => reason === 'replace');
    expect(lost.map(({ partition }) => partition)).toContain(standing);
    expect(lost.length).toBeLessThan(planned.length);
    expect(planned.slice(0, lost.length)).toEqual(lost);
    expect(lost.at(-1)?.partition).toBe(standing);
  });

  it('takes back nothing for the sake of what came no further either', () => {
    const cluster = new ModelCluster({ shards: shards(3), partitionCount: 16 });
    cluster.settles();
    cluster.join({});
    cluster.stuck.add(4);
    const abandoned = (): number => cluster.changes.filter(({ work }) => work.kind === 'abandon').length;
    const TEN_MINUTES = 600_000 / TICK_MS;
    ticks(cluster, 20 * TEN_MINUTES);
    const before = abandoned();
    expect(before).toBeGreaterThan(8);
    ticks(cluster, 5 * TEN_MINUTES);
    expect(abandoned()).toBe(before);
    cluster.stuck.clear();
    expect(cluster.settles()).toBe(true);
  });

  it('goes on with what can, beside moves that wait for a majority that is down', () => {
    const cluster = new ModelCluster({ shards: shards(5), partitionCount: 64 });
    cluster.settles();
    cluster.command({ kind: 'drain', shard: 'shard-1' });
    cluster.command({ kind: 'limits', limits: { movesMax: 1, replaceAfterMs: 600_000 } });
    const inBoth = ({ replicas }: MapEntry): boolean => replicas.includes(2) && replicas.includes(3);
    while (!cluster.state.map.some((entry) => inBoth(entry) && entry.learners.length > 0)) cluster.tick();
    cluster.kill('shard-2');
    cluster.kill('shard-3');
    ticks(cluster, 400);
    const waits = cluster.overview().plan.moves.map(({ waitsFor }) => waitsFor);
    expect(waits).toContain('shard-2 and shard-3: a majority of its replicas is down');
    expect(waits.filter((text) => text.startsWith('one of the'))).toEqual([]);
    expect(cluster.state.moves.size).toBe(0);
  });

  it('takes a move back at once where only the old replicas have a majority that is up', () => {
    const cluster = growing(1);
    const isJoint = ({ nextReplicas }: MapEntry): boolean => nextReplicas?.includes(4) === true;
    while (!cluster.state.map.some(isJoint)) cluster.tick();
    const { partition, replicas, nextReplicas } = cluster.state.map.find(isJoint)!;
    const staying = replicas.filter((ordinal) => nextReplicas!.includes(ordinal));
    cluster.kill('shard-4');
    cluster.kill(`shard-${staying[0]}`);
    ticks(cluster, 12);
    expect(cluster.state.map[partition]).toMatchObject({ replicas, nextReplicas: null });
    const up = replicas.filter((ordinal) => ordinal !== staying[0]);
    expect(up).toContain(cluster.state.map[partition]?.preferredLeader);
  });
});
