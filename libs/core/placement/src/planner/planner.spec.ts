import { describe, expect, it } from '@jest/globals';
import { type ClusterState, type MapEntry, isUnderWay } from './cluster-state.js';
import { LIMITS, ModelCluster, TICK_MS } from '../../test/model-cluster.js';
import { applyChanges } from './changes.js';
import { type PlanOverview, describe as overviewOf } from './overview.js';

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

  /** Three shards become six; the change of mind comes after so many ticks. */
  function growing(ticks: number): ModelCluster {
    const cluster = new ModelCluster({ shards: shards(3), partitionCount: 64 });
    cluster.settles();
    for (let i = 0; i < 3; i++) cluster.join({});
    for (let tick = 0; tick < ticks; tick++) cluster.tick();
    return cluster;
  }
  const ticks = (cluster: ModelCluster, count: number): void => {
    for (let tick = 0; tick < count; tick++) cluster.tick();
  };
  const newcomers = ['shard-4', 'shard-5', 'shard-6'];
  const heldBy = (cluster: ModelCluster, ...ordinals: number[]): number =>
    cluster.state.map.flatMap(({ replicas }) => replicas).filter((ordinal) => ordinals.includes(ordinal))
      .length;

  it.each([6, 20, 60])(
    'takes back what it has begun when newcomers are drained half-way, after %i ticks',
    (ticks) => {
      const cluster = growing(ticks);
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

  it('does not wait for ever for a newcomer that is up and takes nothing in', () => {
    const cluster = growing(0);
    cluster.stuck.add(4);
    const STANDSTILL_TICKS = 600_000 / TICK_MS;
    for (let tick = 0; tick < STANDSTILL_TICKS - 10; tick++) cluster.tick();
    expect(cluster.changes.filter(({ work }) => work.kind === 'abandon')).toEqual([]);
    for (let round = 0; round < 4; round++)
      for (let tick = 0; tick < STANDSTILL_TICKS; tick++) cluster.tick();
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
      for (let tick = 0; tick < STANDSTILL_TICKS - 10; tick++) cluster.tick();
      expect(cluster.changes.filter(({ work }) => work.kind === 'abandon')).toEqual([]);
      for (let tick = 0; tick < standing.length * STANDSTILL_TICKS; tick++) cluster.tick();
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

  it.each([3, 8, 30])('stops a drain that is undone after %i ticks', (ticks) => {
    const cluster = new ModelCluster({ shards: shards(6), partitionCount: 64 });
    cluster.settles();
    cluster.command({ kind: 'drain', shard: 'shard-2' });
    const before = heldBy(cluster, 2);
    for (let tick = 0; tick < ticks; tick++) cluster.tick();
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

  const placeOf = (cluster: ModelCluster, ordinal: number): string | undefined =>
    cluster.state.places.get(ordinal)?.state;
  const REPLACE_TICKS = LIMITS.replaceAfterMs / TICK_MS;

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
