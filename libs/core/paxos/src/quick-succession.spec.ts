/**
 * Shards that die one right after another: each as soon as the one before it is ready again, that is, as soon as its
 * replicas are caught up and it promises (docs/PROTOCOL.md 4.4.4).
 */
import { describe, expect, it } from '@jest/globals';
import { seededPrng, type Prng } from '@ringleader/primitives';
import { assignment } from '../test/cluster-client.js';
import { MemoryCluster, TIMINGS } from '../test/memory-cluster.js';

const SHARDS = [1, 2, 3];
const PARTITIONS = 24;
const ROUNDS = 40;
const BOOT_MS = 700;

function many(): MemoryCluster {
  const cluster = new MemoryCluster(SHARDS);
  const entries = Array.from({ length: PARTITIONS }, (_, partition) => {
    const preferredLeader = 1 + (partition % SHARDS.length);
    const others = SHARDS.filter((shard) => shard !== preferredLeader);
    if (partition % 2 === 0) others.reverse();
    return assignment({ partition, preferredLeader, replicas: [preferredLeader, ...others] });
  });
  cluster.learn(entries);
  cluster.until(() => allLed(cluster));
  return cluster;
}

function allLed(cluster: MemoryCluster): boolean {
  const led = new Set<number>();
  for (const { shard } of cluster.nodes.values())
    for (const { partition, serving } of shard?.status() ?? []) if (serving) led.add(partition);
  return led.size === PARTITIONS;
}

function isReady(cluster: MemoryCluster, ordinal: number): boolean {
  const shard = cluster.shard(ordinal);
  return (
    cluster.now >= shard.promisesFrom &&
    shard
      .status()
      .every(({ role, serving, leader, position, promised }) =>
        role === 'leader' ? serving : leader !== 0 && position.ballot === promised,
      )
  );
}

/** Of those who may stand and promise: one waits for another's turn, then asks. */
const ELECTION_MS = 200;

const PACES: readonly (readonly [string, number, number])[] = [
  ['a prompt machine', 1, 0],
  ['a slow one', 8, 10],
];

function paced(cluster: MemoryCluster, prng: Prng, transactionMs: number, turnMs: number): void {
  cluster.pace = {
    transactionMs: () => 1 + prng.nextBelow(transactionMs),
    turnMs: () => prng.nextBelow(turnMs + 1),
  };
}

describe('kills in quick succession', () => {
  it.each(PACES)('on %s cost a lease and an election each', (_machine, transactionMs, turnMs) => {
    const cluster = many();
    const prng = seededPrng(5);
    paced(cluster, prng, transactionMs, turnMs);
    for (let round = 0; round < ROUNDS; round += 1) {
      const victim = 1 + prng.nextBelow(SHARDS.length);
      cluster.kill(victim);
      const died = cluster.now;
      cluster.step();
      expect(cluster.until(() => allLed(cluster))).toBeLessThan(TIMINGS.leaseMs + ELECTION_MS);
      cluster.run(Math.max(0, died + BOOT_MS - cluster.now));
      cluster.start(victim);
      cluster.until(() => isReady(cluster, victim));
      // In every other round some partitions are just being passed back to it.
      if (round % 2 === 0) cluster.run(prng.nextBelow(2_000));
    }
  });

  it.each(PACES)('on %s are over when who came back may promise', (_machine, transactionMs, turnMs) => {
    const cluster = many();
    const prng = seededPrng(6);
    paced(cluster, prng, transactionMs, turnMs);
    for (let round = 0; round < ROUNDS; round += 1) {
      const [first = 1, second = 2] = round % 2 === 0 ? [1, 2] : [3, 1];
      cluster.kill(first);
      cluster.run(1 + prng.nextBelow(BOOT_MS));
      cluster.kill(second);
      cluster.run(prng.nextBelow(BOOT_MS));
      cluster.start(first);
      const able = cluster.shard(first).promisesFrom;
      cluster.until(() => allLed(cluster));
      expect(cluster.now - able).toBeLessThan(ELECTION_MS);
      cluster.start(second);
      cluster.until(() => SHARDS.every((shard) => isReady(cluster, shard)));
    }
  });
});
