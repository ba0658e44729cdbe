import { describe, expect, it } from '@jest/globals';
import { ModelCluster, TICK_MS } from '../../test/model-cluster.js';

const HOUR_MS = 3_600_000;
const SHARDS = Array.from({ length: 9 }, (_, at) => ({ zone: String(at % 3) }));

describe('How long a shard has been down', () => {
  /** Milliseconds until it is given up; null: it is not. A new leader each so many ticks, with clocks in turn. */
  function givenUpAfter(
    cluster: ModelCluster,
    ordinal: number,
    { everyTicks, aheadMs }: { readonly everyTicks: number; readonly aheadMs: readonly number[] },
  ): number | null {
    const fromMs = cluster.nowMs;
    for (let ticks = 0; cluster.nowMs < fromMs + HOUR_MS / 4; ticks++) {
      if (ticks % everyTicks === 0) cluster.changeLeader(aheadMs[(ticks / everyTicks) % aheadMs.length]);
      cluster.tick();
      if (cluster.state.places.get(ordinal)?.state === 'replaced') return cluster.nowMs - fromMs;
    }
    return null;
  }

  function settled(aheadMs = 0): ModelCluster {
    const cluster = new ModelCluster({ shards: SHARDS });
    cluster.changeLeader(aheadMs);
    cluster.settles();
    return cluster;
  }

  it.each([
    ['behind', -HOUR_MS],
    ['ahead', HOUR_MS],
  ])('does not go by the clock of the leader before, which was %s', (_, aheadMs) => {
    const cluster = settled(aheadMs);
    cluster.command({ kind: 'limits', limits: { replaceAfterMs: 60_000 } });
    cluster.kill('shard-1');
    for (let ticks = 0; ticks < 20; ticks++) cluster.tick();
    const afterMs = givenUpAfter(cluster, 1, { everyTicks: Infinity, aheadMs: [0] });
    expect(afterMs).toBeGreaterThanOrEqual(60_000 - 20 * TICK_MS);
    expect(afterMs).toBeLessThanOrEqual(60_000 + 5_000);
  });

  it('is carried on from leader to leader', () => {
    const cluster = settled();
    cluster.command({ kind: 'limits', limits: { replaceAfterMs: 300_000 } });
    cluster.kill('shard-1');
    // None of them leads for long enough itself.
    const changes = { everyTicks: 60_000 / TICK_MS, aheadMs: [0, -HOUR_MS, HOUR_MS] };
    const afterMs = givenUpAfter(cluster, 1, changes);
    expect(afterMs).toBeGreaterThanOrEqual(300_000);
    expect(afterMs).toBeLessThanOrEqual(2 * 300_000);
  });

  it('holds the next one up for as long, whatever the clock of who gave up the one before', () => {
    const cluster = settled(-HOUR_MS);
    cluster.command({ kind: 'limits', limits: { replaceAfterMs: 60_000 } });
    cluster.kill('shard-1');
    expect(givenUpAfter(cluster, 1, { everyTicks: Infinity, aheadMs: [-HOUR_MS] })).not.toBeNull();
    const givenUpAtMs = cluster.nowMs;
    expect(cluster.settles()).toBe(true);
    cluster.kill('shard-2');
    const afterMs = givenUpAfter(cluster, 2, { everyTicks: 45_000 / TICK_MS, aheadMs: [0, HOUR_MS] });
    expect(cluster.nowMs - givenUpAtMs).toBeGreaterThanOrEqual(60_000);
    expect(afterMs).toBeLessThanOrEqual(2 * 60_000);
  });

  it('is written down no longer than it matters', () => {
    const cluster = settled();
    cluster.command({ kind: 'limits', limits: { replaceAfterMs: 60_000 } });
    // A partition needs one of them: none is given up.
    for (const shard of ['shard-1', 'shard-2', 'shard-3', 'shard-4', 'shard-5']) cluster.kill(shard);
    for (let ticks = 0; ticks < 120_000 / TICK_MS; ticks++) cluster.tick();
    const { transactions, state } = cluster;
    expect([...state.elapsed.values()].every((forMs) => forMs >= 60_000)).toBe(true);
    for (let ticks = 0; ticks < 600_000 / TICK_MS; ticks++) cluster.tick();
    expect(cluster.transactions).toBe(transactions);
  });
});
