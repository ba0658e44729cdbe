import { describe, expect, it } from '@jest/globals';
import { answer, assignment, P, put, started, write } from '../../test/cluster-client.js';
import type { MemoryCluster } from '../../test/memory-cluster.js';

const NEXT = assignment({ epoch: 2, learners: [4] });

/** The map reaches each shard so many milliseconds after the first. */
function learn(cluster: MemoryCluster, after: Readonly<Record<number, number>>): void {
  const begun = cluster.now;
  for (let late = 0; late <= Math.max(...Object.values(after)); late += 1) {
    for (const shard of [1, 2, 3]) {
      if (after[shard] === late) cluster.shard(shard).learnMap([NEXT], cluster.now);
    }
    if (cluster.now < begun + late + 1) cluster.step();
  }
}

function servesAt(cluster: MemoryCluster, epoch: number): boolean {
  const leader = cluster.leaderOf(P);
  return leader !== 0 && cluster.shard(leader).status()[0]?.epoch === epoch;
}

describe('a new epoch', () => {
  it('is without a leader for three transactions and their messages', () => {
    const cluster = started();
    write(cluster, 'a', 'one');
    cluster.run(1_000);
    learn(cluster, { 1: 0, 2: 0, 3: 0 });
    expect(cluster.until(() => servesAt(cluster, 2))).toBeLessThan(10);
    expect(cluster.leaderOf(P)).toBe(1);
  });

  it('is not waited for longer than until a majority has heard of it', () => {
    const cluster = started();
    write(cluster, 'a', 'one');
    cluster.run(1_000);
    learn(cluster, { 1: 0, 2: 30, 3: 40 });
    // Asked for again after 50 ms, it would be later than this.
    const others = cluster.until(() => servesAt(cluster, 2));
    expect(others).toBeLessThan(5);
  });

  it('takes a write that was under way as another attempt of it, which does nothing twice', () => {
    const cluster = started();
    write(cluster, 'a', 'one');
    cluster.run(1_000);
    const token = put(cluster, 'b', 'two', { requestId: 'same' });
    cluster.step();
    learn(cluster, { 1: 0, 2: 0, 3: 0 });
    expect(answer(cluster, token).kind).toBe('outcomeUnknown');
    cluster.until(() => servesAt(cluster, 2));
    const again = put(cluster, 'b', 'two', { requestId: 'same', epoch: 2 });
    expect(answer(cluster, again)).toMatchObject({ kind: 'written', version: 1 });
  });
});
