import { describe, expect, it } from '@jest/globals';
import {
  P,
  answer,
  assignment,
  converged,
  put,
  read,
  started,
  textOf,
  write,
} from '../../test/cluster-client.js';
import { LIMITS, MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';
import { RULES } from '../rules/rules.js';

function revisionOf(reply: ReturnType<typeof write>): number {
  if (reply.kind !== 'written') throw new Error(`answered ${reply.kind}`);
  return reply.revision;
}

/** Shard 3 lacks what was written last, and the two that have it are gone. */
function lagging(cluster: MemoryCluster): number {
  write(cluster, 'a', 'kept');
  cluster.run(1_000);
  cluster.kill(3);
  write(cluster, 'a', 'lost');
  const lost = revisionOf(write(cluster, 'b', 'lost'));
  cluster.kill(1);
  cluster.kill(2);
  cluster.start(3);
  cluster.run(2_000);
  expect(cluster.leaderOf(P)).toBe(0);
  return lost;
}

const ALONE = assignment({ epoch: 2, replicas: [3], preferredLeader: 3, recoveries: 1 });

describe('a partition that lost its majority, and goes on because a person says so', () => {
  it('has what is left of it, and gives no revision twice', () => {
    const cluster = started();
    const lost = lagging(cluster);
    cluster.learn([ALONE]);
    cluster.until(() => cluster.leaderOf(P) === 3);
    const epoch = 2;
    const get = (key: string): string | null => textOf(answer(cluster, read(cluster, 3, key)));
    expect([get('a'), get('b')]).toEqual(['kept', null]);
    const written = answer(cluster, put(cluster, 'b', 'new', { epoch }));
    expect(revisionOf(written)).toBe(2 ** 40 + 1);
    expect(lost).toBeLessThan(2 ** 40);
    expect(get('b')).toBe('new');
    cluster.kill(3);
    cluster.start(3);
    cluster.until(() => cluster.leaderOf(P) === 3);
    expect(revisionOf(answer(cluster, put(cluster, 'c', 'new', { epoch })))).toBe(2 ** 40 + 2);
  });

  it('takes the most advanced of those that are left, and brings the others and newcomers to it', () => {
    const cluster = new MemoryCluster([1, 2, 3, 4], LIMITS, TIMINGS);
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    write(cluster, 'a', 'one');
    cluster.run(1_000);
    cluster.kill(3);
    write(cluster, 'a', 'two');
    cluster.kill(1);
    cluster.start(3);
    const replicas = [2, 3];
    cluster.learn([assignment({ epoch: 2, replicas, learners: [4], preferredLeader: 3, recoveries: 1 })]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    answer(cluster, put(cluster, 'b', 'new', { epoch: 2 }));
    cluster.until(() => converged(cluster, [2, 3, 4]));
    expect(textOf(answer(cluster, read(cluster, cluster.leaderOf(P), 'a')))).toBe('two');
    const rows = cluster.storage(4).liveRows(P);
    expect(rows.get('a')?.revision).toBeLessThan(2 ** 40);
    expect(rows.get('b')?.revision).toBe(2 ** 40 + 1);
  });

  it('goes on beyond revisions that were lost after an earlier recovery, too', () => {
    const cluster = started();
    lagging(cluster);
    cluster.learn([{ ...ALONE, recoveries: 3 }]);
    cluster.until(() => cluster.leaderOf(P) === 3);
    expect(revisionOf(answer(cluster, put(cluster, 'b', 'new', { epoch: 2 })))).toBe(3 * 2 ** 40 + 1);
  });

  it('would give a revision that was lost to another write, without the rule', () => {
    const rules = { ...RULES, revisionAfter: () => 0 };
    const cluster = new MemoryCluster([1, 2, 3], LIMITS, TIMINGS, rules);
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    const lost = lagging(cluster);
    cluster.learn([ALONE]);
    cluster.until(() => cluster.leaderOf(P) === 3);
    const again = [1, 2].map((i) => revisionOf(answer(cluster, put(cluster, `c${i}`, 'new', { epoch: 2 }))));
    expect(again).toContain(lost);
  });
});
