import { describe, expect, it } from '@jest/globals';
import { P, put, started } from '../../test/cluster-client.js';
import type { MemoryCluster } from '../../test/memory-cluster.js';

const LARGE = 'x'.repeat(600_000);

/** How often rows were sent to each peer, from now on; they arrive only if `arrives`. */
function countingRows(cluster: MemoryCluster, arrives: () => boolean): Map<number, number> {
  const sent = new Map<number, number>();
  cluster.loses = (_from, { to, message }) => {
    if (message.kind !== 'accepts' || message.batches.every(({ rows }) => rows.length === 0)) return false;
    sent.set(to, (sent.get(to) ?? 0) + 1);
    return !arrives();
  };
  return sent;
}

function commitOf(cluster: MemoryCluster, shard: number): number {
  return (
    cluster
      .shard(shard)
      .status()
      .find(({ partition }) => partition === P)?.commit ?? 0
  );
}

describe('what is still on its way', () => {
  it('is not sent again, however long it takes, and again when it turns out to be lost', () => {
    const cluster = started();
    cluster.run(1_000);
    const before = commitOf(cluster, cluster.leaderOf(P));
    let arrives = false;
    const sent = countingRows(cluster, () => arrives);
    cluster.heldSince = () => 0;
    put(cluster, 'k', LARGE);
    cluster.run(10_000);
    expect([...sent.values()]).toEqual([1, 1]);
    arrives = true;
    cluster.heldSince = () => Number.POSITIVE_INFINITY;
    cluster.run(5_000);
    expect([...sent.values()]).toEqual([2, 2]);
    expect(commitOf(cluster, cluster.leaderOf(P))).toBe(before + 1);
  });

  it('has the longer to be answered the larger it is', () => {
    const cluster = started();
    cluster.run(1_000);
    const sent = countingRows(cluster, () => false);
    put(cluster, 'k', LARGE);
    cluster.run(4 * cluster.timings.resendIntervalMs);
    expect([...sent.values()]).toEqual([1, 1]);
    cluster.run(4 * cluster.timings.resendIntervalMs);
    expect([...sent.values()]).toEqual([2, 2]);
  });
});

describe('a peer that takes no more', () => {
  it('is sent no rows, holds up nobody, and catches up when it takes some again', () => {
    const cluster = started();
    cluster.run(1_000);
    const leader = cluster.leaderOf(P);
    const slow = [1, 2, 3].find((shard) => shard !== leader) ?? 0;
    const sent = countingRows(cluster, () => true);
    cluster.backlogBytes = (peer) => (peer === slow ? cluster.limits.peerBacklogBytesMax : 0);
    const before = commitOf(cluster, leader);
    for (const key of ['a', 'b', 'c']) put(cluster, key, 'v');
    cluster.run(2_000);
    expect([commitOf(cluster, leader), sent.get(slow)]).toEqual([before + 3, undefined]);
    cluster.backlogBytes = () => 0;
    cluster.run(2_000);
    expect(commitOf(cluster, slow)).toBe(before + 3);
  });
});

describe('a partition with many bytes in flight', () => {
  it('lets the next write wait, and refuses it not', () => {
    const cluster = started();
    cluster.run(1_000);
    const before = commitOf(cluster, cluster.leaderOf(P));
    for (const key of ['a', 'b', 'c']) put(cluster, key, LARGE);
    cluster.run(5_000);
    expect(commitOf(cluster, cluster.leaderOf(P))).toBe(before + 3);
  });
});
