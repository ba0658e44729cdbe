import { describe, expect, it } from '@jest/globals';
import { LIMITS, ModelCluster, TICK_MS } from '../../test/model-cluster.js';
import { shards, ticks } from '../../test/model-steps.js';
import { applyChanges } from './changes.js';
import { type ClusterState, type MapEntry, healthOf, isUnderWay } from './cluster-state.js';
import { type RecoveredPartition, decideRecovery } from './recovery.js';

const TICKS_UNTIL_DOWN = 20;

function settled(count: number, partitionCount = 16): ModelCluster {
  const cluster = new ModelCluster({ shards: shards(count), partitionCount });
  cluster.settles();
  return cluster;
}

/** The partitions, or the code of the refusal. */
function recover(
  cluster: ModelCluster,
  lost: readonly string[],
  ifEpoch?: number,
): readonly RecoveredPartition[] | string {
  const done: RecoveredPartition[] = [];
  for (;;) {
    const decided = decideRecovery(cluster.state, { lost, nowMs: cluster.nowMs, ifEpoch });
    if (decided.kind === 'refused') return decided.code;
    if (decided.kind === 'done') return done;
    const next = applyChanges(cluster.state, decided.changes);
    expect(next?.control?.epoch).toBe(decided.epoch);
    cluster.state = next!;
    done.push(...decided.partitions);
    if (!decided.hasMore) return done;
  }
}

function entry(state: ClusterState, change: Partial<MapEntry>): ClusterState {
  const map = [...state.map];
  map[0] = { ...map[0]!, ...change };
  return { ...state, map };
}

describe('decideRecovery', () => {
  it('gives up nobody who is up, and does nothing where nothing is lost', () => {
    const cluster = settled(4);
    expect(recover(cluster, [])).toBe('NOTHING_TO_RECOVER');
    expect(recover(cluster, ['shard-9'])).toBe('SHARD_NOT_FOUND');
    expect(recover(cluster, ['shard-1'])).toBe('SHARD_NOT_DOWN');
    cluster.withoutDatabase.add(1);
    cluster.tick();
    const detail = 'shard-1 runs, and does not serve: stop it first, and wait until it is down';
    expect(decideRecovery(cluster.state, { lost: ['shard-1'], nowMs: 0 })).toMatchObject({
      code: 'SHARD_NOT_DOWN',
      detail,
    });
    cluster.withoutDatabase.clear();
    cluster.kill('shard-1');
    expect(recover(cluster, ['shard-1'])).toBe('SHARD_NOT_DOWN');
    ticks(cluster, TICKS_UNTIL_DOWN);
    expect(recover(cluster, ['shard-1'])).toBe('NOTHING_TO_RECOVER');
    expect(cluster.state.places.get(1)?.state).toBe('active');
    expect(decideRecovery(cluster.state, { lost: ['shard-1'], nowMs: 0, ifEpoch: 99 })).toMatchObject({
      ...{ code: 'PRECONDITION_FAILED', details: { epoch: cluster.state.control!.epoch } },
    });
    const before = { ...cluster.state, control: null };
    expect(decideRecovery(before, { lost: [], nowMs: 0 })).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('goes on with who is left, gets all replicas back, and lets those come back as new ones', () => {
    const cluster = settled(3);
    for (const shard of ['shard-2', 'shard-3']) cluster.kill(shard);
    ticks(cluster, (3 * LIMITS.replaceAfterMs) / TICK_MS);
    expect(cluster.overview().plan.blocked).toMatch(/not given up: .*ringleader recover --lost shard-2/);
    const map = cluster.state.map.map(({ epoch }) => epoch);
    expect(recover(cluster, ['shard-2', 'shard-3'])).toEqual(
      map.map((_, partition) => ({ partition, kept: [1], copying: [], down: [], lost: [2, 3] })),
    );
    for (const { partition, epoch, replicas, preferredLeader, ...recovered } of cluster.state.map) {
      expect([epoch, replicas, preferredLeader]).toEqual([map[partition]! + 1, [1], 1]);
      const recovery = { times: 1, epoch, kept: [1], lost: [2, 3] };
      expect(recovered).toEqual({ nextReplicas: null, learners: [], recovery });
    }
    expect(recover(cluster, ['shard-2', 'shard-3'])).toBe('NOTHING_TO_RECOVER');
    cluster.join({}, 'shard-2');
    cluster.join({}, 'shard-3');
    expect(cluster.settles()).toBe(true);
    for (const { replicas, recovery } of cluster.state.map) {
      expect(replicas.map((ordinal) => healthOf(cluster.state, ordinal))).toEqual(Array(3).fill('alive'));
      expect(recovery).toMatchObject({ times: 1, kept: [1], lost: [2, 3] });
    }
  });

  it('knows a repeat at the epoch of the first, which does what is left of just that', () => {
    const cluster = settled(4, 64);
    const lost = ['shard-2', 'shard-3'];
    for (const shard of lost) cluster.kill(shard);
    ticks(cluster, TICKS_UNTIL_DOWN);
    const { epoch } = cluster.state.control!;
    const request = { lost, nowMs: cluster.nowMs, ifEpoch: epoch };
    const first = decideRecovery(cluster.state, { ...request, partitionsMax: 1 });
    if (first.kind !== 'changes') throw new Error(first.kind);
    expect(first.hasMore).toBe(true);
    cluster.state = applyChanges(cluster.state, first.changes)!;
    for (const shard of lost) cluster.join({}, shard);
    ticks(cluster, 3);
    expect(cluster.state.control!.epoch).toBeGreaterThan(epoch + 1);
    expect(recover(cluster, ['shard-2'], epoch)).toBe('PRECONDITION_FAILED');
    expect(recover(cluster, lost, epoch + 1)).toBe('PRECONDITION_FAILED');
    const left = cluster.state.map.filter(({ replicas }) => replicas.includes(2) && replicas.includes(3));
    const rest = recover(cluster, [...lost, 'shard-3'].reverse(), epoch) as RecoveredPartition[];
    expect(rest.map(({ partition }) => partition)).toEqual(left.map(({ partition }) => partition));
    expect(left.length).toBeGreaterThan(0);
    expect(recover(cluster, lost, epoch)).toEqual([]);
    // What is lost later is another matter.
    cluster.settles();
    for (const shard of lost) cluster.kill(shard);
    ticks(cluster, TICKS_UNTIL_DOWN);
    const again = cluster.state.control!.epoch;
    expect(recover(cluster, lost, epoch)).toEqual([]);
    expect(recover(cluster, lost, again)).not.toEqual([]);
    expect(recover(cluster, lost, epoch)).toBe('PRECONDITION_FAILED');
  });

  it('touches only partitions without a majority, and waits for those that may come back', () => {
    const cluster = settled(6, 64);
    for (const shard of ['shard-1', 'shard-2', 'shard-3']) cluster.kill(shard);
    ticks(cluster, TICKS_UNTIL_DOWN);
    const before = cluster.state;
    const lostOf = ({ replicas }: MapEntry): number[] => replicas.filter((ordinal) => ordinal <= 2);
    const partitions = recover(cluster, ['shard-1', 'shard-2']) as readonly RecoveredPartition[];
    const expected = before.map.filter((one) => lostOf(one).length === 2);
    expect(expected.length).toBeGreaterThan(4);
    expect(partitions.map(({ partition }) => partition)).toEqual(expected.map(({ partition }) => partition));
    // Shard 3 is down and not given up: what it has is waited for.
    const atThree = expected.find(({ replicas }) => replicas.includes(3))!;
    expect(partitions.find(({ partition }) => partition === atThree.partition)).toMatchObject({
      ...{ kept: [3], down: [3], lost: [1, 2] },
    });
    for (const one of before.map)
      if (!expected.includes(one)) expect(cluster.state.map[one.partition]).toBe(one);
    expect(cluster.state.places.get(3)?.state).toBe('active');
    cluster.start('shard-3');
    expect(cluster.settles()).toBe(true);
  });

  it('keeps all who decide of a partition that moves, and who copies it and is up', () => {
    const cluster = settled(6);
    for (const shard of ['shard-2', 'shard-3', 'shard-6']) cluster.kill(shard);
    ticks(cluster, TICKS_UNTIL_DOWN);
    const lost = ['shard-2', 'shard-3'];
    const keptOf = (state: ClusterState): unknown => {
      const decided = decideRecovery(state, { lost, nowMs: cluster.nowMs });
      if (decided.kind !== 'changes') return decided;
      const one = decided.partitions.find(({ partition }) => partition === 0);
      if (one === undefined) return null;
      const { replicas, recovery } = decided.changes.entries.find(({ partition }) => partition === 0)!;
      expect(replicas).toEqual([...one.kept, ...one.copying]);
      expect(recovery?.kept).toEqual(replicas);
      return [one.kept, one.copying];
    };
    const { state } = cluster;
    const still = { replicas: [1, 2, 3], nextReplicas: null, learners: [] };
    expect(keptOf(entry(state, still))).toEqual([[1], []]);
    expect(keptOf(entry(state, { ...still, nextReplicas: [1, 4, 3] }))).toEqual([[1, 4], []]);
    // It may have what nobody else has any more; but nobody waits for it.
    expect(keptOf(entry(state, { ...still, learners: [5] }))).toEqual([[1], [5]]);
    expect(keptOf(entry(state, { ...still, learners: [6] }))).toEqual([[1], []]);
    // Its old replicas have a majority: the move is taken back.
    expect(keptOf(entry(state, { ...still, replicas: [1, 4, 2], nextReplicas: [3, 4, 2] }))).toBeNull();
    const gone = new Map([...state.places].filter(([ordinal]) => ordinal !== 1));
    expect(keptOf(entry({ ...state, places: gone }, { ...still, learners: [5] }))).toEqual([[], [5]]);
  });

  it('begins anew what nobody has, where a shard is up', () => {
    const cluster = settled(6, 64);
    const lost = ['shard-1', 'shard-2', 'shard-3'];
    for (const shard of lost) cluster.kill(shard);
    ticks(cluster, TICKS_UNTIL_DOWN);
    const partitions = recover(cluster, lost) as readonly RecoveredPartition[];
    const empty = partitions.filter(({ kept }) => kept.length === 0);
    expect(empty).not.toHaveLength(0);
    for (const { partition } of empty) {
      const { replicas, recovery } = cluster.state.map[partition]!;
      expect(recovery?.kept).toEqual([]);
      expect([...replicas].sort((a, b) => a - b)).toEqual([4, 5, 6]);
    }
    expect(cluster.settles()).toBe(true);
    const alone = settled(3);
    for (const shard of lost) alone.kill(shard);
    ticks(alone, TICKS_UNTIL_DOWN);
    expect(recover(alone, lost)).toBe('REPLICATION_AT_RISK');
  });

  it('ends moves of what it recovers, in as many transactions as it takes', () => {
    const cluster = settled(3, 512);
    cluster.command({ kind: 'limits', limits: { movesMax: 64 } });
    for (let i = 0; i < 3; i++) cluster.join({});
    for (let tick = 0; tick < 400 && cluster.state.moves.size < 4; tick++) cluster.tick();
    for (const shard of ['shard-2', 'shard-3']) cluster.kill(shard);
    ticks(cluster, TICKS_UNTIL_DOWN);
    const moving = cluster.state.map.filter(isUnderWay);
    expect(moving).not.toHaveLength(0);
    const partitions = recover(cluster, ['shard-2', 'shard-3']) as readonly RecoveredPartition[];
    expect(partitions.length).toBeGreaterThan(300);
    for (const { partition } of partitions) {
      expect(cluster.state.moves.has(partition)).toBe(false);
      expect(isUnderWay(cluster.state.map[partition]!)).toBe(false);
    }
    expect(cluster.settles()).toBe(true);
  });
});
