/** Machines that are slow themselves, and give others the blame for nothing (docs/PROTOCOL.md 4.9). */
import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { MemoryCluster, TIMINGS } from '../test/memory-cluster.js';
import type { PartitionAssignment, PaxosEvent } from './index.js';

const SHARDS = [1, 2, 3];

function assignments(count: number): PartitionAssignment[] {
  return Array.from({ length: count }, (_, partition) => ({
    partition,
    epoch: 1,
    replicas: SHARDS,
    nextReplicas: null,
    learners: [],
    preferredLeader: SHARDS[partition % SHARDS.length] ?? 1,
  }));
}

function countOf(cluster: MemoryCluster, kind: PaxosEvent['kind'], since = 0): number {
  return cluster.events.filter(({ at, event }) => at > since && event.kind === kind).length;
}

function ledPartitions(cluster: MemoryCluster): number {
  const statuses = [...cluster.nodes.values()].flatMap(({ shard }) => shard?.status() ?? []);
  return statuses.filter(({ role, serving }) => role === 'leader' && serving).length;
}

/** Some time without faults: leases run, and whoever leads is the preferred leader. */
function settled(partitions: number): MemoryCluster {
  const cluster = new MemoryCluster(SHARDS);
  cluster.learn(assignments(partitions));
  cluster.until(() => ledPartitions(cluster) === partitions);
  cluster.run(2 * TIMINGS.leaseMs);
  return cluster;
}

describe('a process that was not scheduled', () => {
  it.each([200, 700, 1_200, 5_000])('does not stand after %i ms for partitions whose leaders live', (ms) => {
    const cluster = settled(9);
    const since = cluster.now;
    // All three at once: nobody could have elected another leader meanwhile.
    for (const shard of SHARDS) cluster.pause(shard, ms);
    cluster.run(ms + 5 * TIMINGS.leaseMs);
    expect(countOf(cluster, 'candidacy', since)).toBe(0);
    expect(countOf(cluster, 'steppedDown', since)).toBe(0);
  });

  it('does not stand when it wakes with heartbeats in its sockets, though its own leaderships are lost', () => {
    const cluster = settled(9);
    const since = cluster.now;
    cluster.pause(3, 2 * TIMINGS.leaseMs);
    cluster.until(
      () => cluster.events.filter(({ at, event }) => at > since && event.kind === 'leading').length === 3,
    );
    cluster.run(2 * TIMINGS.leaseMs);
    const stood = cluster.events.filter(({ at, shard, event }) => {
      return at > since && shard === 3 && event.kind === 'candidacy';
    });
    expect(stood).toEqual([]);
  });

  it('still finds out, a little later, that a leader died meanwhile', () => {
    const cluster = settled(9);
    cluster.kill(1);
    cluster.pause(2, 2 * TIMINGS.leaseMs);
    cluster.pause(3, 2 * TIMINGS.leaseMs);
    const took = cluster.until(() => ledPartitions(cluster) === 9);
    expect(took).toBeLessThan(2 * TIMINGS.leaseMs + 3 * TIMINGS.leaseMs);
  });
});

describe('a starved cluster', () => {
  function starved(seed: number): MemoryCluster {
    const cluster = new MemoryCluster(SHARDS);
    const prng = seededPrng(seed);
    cluster.pace = {
      turnMs: () => 100 + prng.nextBelow(300),
      transactionMs: () => 50 + prng.nextBelow(250),
    };
    return cluster;
  }

  it.each([1, 2, 3, 4])('elects 1,024 leaders with few elections, and keeps them (seed %i)', (seed) => {
    const partitions = 1_024;
    const cluster = starved(seed);
    cluster.learn(assignments(partitions));
    const took = cluster.until(() => cluster.now % 50 === 0 && ledPartitions(cluster) === partitions);
    expect(took).toBeLessThan(8_000);
    expect(countOf(cluster, 'candidacy')).toBeLessThan(1.5 * partitions);
    const since = cluster.now;
    cluster.run(10_000);
    expect(countOf(cluster, 'candidacy', since)).toBeLessThan(0.5 * partitions);
    expect(ledPartitions(cluster)).toBeGreaterThan(0.5 * partitions);
  });
});
