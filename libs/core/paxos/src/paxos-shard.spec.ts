import { describe, expect, it } from '@jest/globals';
import {
  answer,
  assignment,
  converged,
  P,
  put,
  read,
  stalenessOf,
  started,
  textOf,
  write,
} from '../test/cluster-client.js';
import { LIMITS, MemoryCluster } from '../test/memory-cluster.js';

describe('PaxosShard', () => {
  it('elects the preferred leader after the restart wait', () => {
    const cluster = new MemoryCluster([1, 2, 3]);
    cluster.learn([assignment({ preferredLeader: 2 })]);
    const took = cluster.until(() => cluster.leaderOf(P) !== 0);
    expect(cluster.leaderOf(P)).toBe(2);
    expect(took).toBeGreaterThanOrEqual(600);
    expect(took).toBeLessThan(700);
  });

  it('writes, reads, and brings all replicas to the same rows', () => {
    const cluster = started();
    expect(write(cluster, 'a', 'one')).toMatchObject({
      kind: 'written',
      revision: 1,
      version: 1,
      created: true,
    });
    expect(write(cluster, 'a', 'two')).toMatchObject({
      kind: 'written',
      revision: 2,
      version: 2,
      created: false,
    });
    expect(textOf(answer(cluster, read(cluster, cluster.leaderOf(P), 'a')))).toBe('two');
    expect(textOf(answer(cluster, read(cluster, cluster.leaderOf(P), 'b')))).toBe(null);
    cluster.run(300);
    expect(converged(cluster, [1, 2, 3])).toBe(true);
  });

  it('serves stale reads of a proven age at followers', () => {
    const cluster = started();
    write(cluster, 'a', 'one');
    cluster.run(400);
    const reply = answer(cluster, read(cluster, 2, 'a', { kind: 'stale', maxStalenessMs: 500 }));
    expect(textOf(reply)).toBe('one');
    // What the own clock may have missed is part of it: it may have stood still for L x drift / 2, and run slow.
    expect(reply).toMatchObject({ kind: 'row', stalenessMs: expect.any(Number) });
    const measuredMs = (stalenessOf(reply) - 30) * (1 - 0.1 / 4);
    expect(measuredMs).toBeGreaterThan(0);
    expect(measuredMs).toBeCloseTo(Math.round(measuredMs), 6);
    expect(answer(cluster, read(cluster, 2, 'a', { kind: 'stale', maxStalenessMs: 0 }))).toMatchObject({
      kind: 'tooStale',
    });
  });

  it('fails over within a second, keeps what was acknowledged, and repairs the old leader', () => {
    const cluster = started();
    for (let index = 0; index < 20; index += 1) write(cluster, `k${index}`, `v${index}`);
    cluster.run(300);
    cluster.kill(1);
    const took = cluster.until(() => cluster.leaderOf(P) !== 0);
    expect(took).toBeLessThan(800);
    expect(textOf(answer(cluster, read(cluster, cluster.leaderOf(P), 'k7')))).toBe('v7');
    write(cluster, 'k7', 'new');
    cluster.start(1);
    cluster.run(500);
    expect(converged(cluster, [1, 2, 3])).toBe(true);
    cluster.until(() => cluster.leaderOf(P) === 1);
    expect(textOf(answer(cluster, read(cluster, 1, 'k7')))).toBe('new');
  });

  it('acknowledges the next write within a second of a kill, whenever it comes', () => {
    const gaps: number[] = [];
    for (let phase = 0; phase < 30; phase += 1) {
      const cluster = started();
      write(cluster, 'a', 'one');
      cluster.run(1_300 + phase * 11);
      const killed = cluster.now;
      cluster.kill(cluster.leaderOf(P));
      cluster.until(() => cluster.leaderOf(P) !== 0);
      write(cluster, 'a', 'two');
      gaps.push(cluster.now - killed);
    }
    expect(Math.max(...gaps)).toBeLessThan(700);
  });

  it('undoes, by repair, rows of a deposed leader that were never chosen', () => {
    const cluster = started();
    write(cluster, 'a', 'chosen');
    cluster.run(300);
    cluster.loses = (from, { to }) => from === 1 || to === 1;
    const lost = [put(cluster, 'a', 'lost'), put(cluster, 'b', 'lost')];
    cluster.run(20);
    cluster.until(() => [2, 3].includes(leaderAmong(cluster, [2, 3])), 5_000);
    cluster.loses = () => false;
    cluster.until(() => converged(cluster, [1, 2, 3]), 5_000);
    expect(lost.map((token) => cluster.replies.get(token)?.kind)).toEqual([
      'outcomeUnknown',
      'outcomeUnknown',
    ]);
    expect([...cluster.storage(1).liveRows(P).keys()]).toEqual(['a']);
    expect(cluster.events.some(({ shard, event }) => shard === 1 && event.kind === 'repaired')).toBe(true);
  });

  it('copies, in pages and passes, what does not fit a repair', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 4 });
    cluster.kill(3);
    for (let index = 0; index < 300; index += 1)
      write(cluster, `k${String(index).padStart(3, '0')}`, `v${index}`);
    cluster.start(3);
    cluster.run(100);
    for (let index = 0; index < 300; index += 30)
      write(cluster, `k${String(index).padStart(3, '0')}`, `w${index}`);
    cluster.until(() => converged(cluster, [1, 2, 3]), 5_000);
    expect(cluster.events.some(({ shard, event }) => shard === 3 && event.kind === 'copyFinished')).toBe(
      true,
    );
    expect(cluster.storage(3).records.get(P)?.staging).toBe(null);
  });

  it('copies to a candidate that must take over from a replica far ahead', () => {
    const cluster = started({ ...LIMITS, repairRowsMax: 4 });
    cluster.kill(3);
    for (let index = 0; index < 40; index += 1) write(cluster, `k${index}`, `v${index}`);
    cluster.kill(1);
    cluster.kill(2);
    cluster.start(3);
    cluster.learn([assignment({ preferredLeader: 3 })]);
    cluster.start(2);
    cluster.until(() => cluster.leaderOf(P) !== 0, 5_000);
    expect(textOf(answer(cluster, read(cluster, cluster.leaderOf(P), 'k39')))).toBe('v39');
    cluster.start(1);
    cluster.until(() => converged(cluster, [1, 2, 3]), 5_000);
    expect(cluster.events.some(({ shard, event }) => shard === 3 && event.kind === 'copyFinished')).toBe(
      true,
    );
  });

  it('hands over to the preferred leader without losing a write', () => {
    const cluster = started();
    cluster.kill(1);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    cluster.start(1);
    let gapMs = 0;
    let longest = 0;
    cluster.until(() => {
      gapMs = cluster.leaderOf(P) === 0 ? gapMs + 1 : 0;
      longest = Math.max(longest, gapMs);
      return cluster.leaderOf(P) === 1;
    });
    expect(longest).toBeLessThan(20);
  });

  it('releases everything on a clean shutdown, so that another leads at once', () => {
    const cluster = started();
    write(cluster, 'a', 'one');
    cluster.shard(1).releaseAll(cluster.now);
    const took = cluster.until(() => cluster.leaderOf(P) !== 0);
    expect(took).toBeLessThan(20);
  });

  it('answers a repeated request with the first answer, and a failed one the same again', () => {
    const cluster = started();
    const first = answer(cluster, put(cluster, 'a', 'one', { requestId: 'same' }));
    const second = answer(cluster, put(cluster, 'a', 'one', { requestId: 'same' }));
    expect(second).toMatchObject({ kind: 'written', revision: 1, version: 1 });
    expect(first).toMatchObject({ kind: 'written', revision: 1, version: 1 });
    const operation = {
      kind: 'put' as const,
      key: 'a',
      value: new Uint8Array([1]),
      contentType: '',
      expiresAt: null,
      conditions: [{ kind: 'ifRevision' as const, revision: 2 }],
    };
    const failed = answer(cluster, put(cluster, 'a', '', { requestId: 'cas', operation }));
    expect(failed).toMatchObject({ kind: 'conditionFailed', revision: 1, version: 1 });
    write(cluster, 'a', 'two');
    const again = answer(cluster, put(cluster, 'a', '', { requestId: 'cas', operation }));
    expect(again).toMatchObject({ kind: 'conditionFailed', revision: 1 });
  });

  it('changes replicas through a learner and a joint epoch', () => {
    const cluster = new MemoryCluster([1, 2, 3, 4]);
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    for (let index = 0; index < 10; index += 1) write(cluster, `k${index}`, 'v');
    cluster.learn([assignment({ epoch: 2, learners: [4] })]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    write(cluster, 'k1', 'w');
    cluster.until(() => converged(cluster, [1, 2, 3, 4]));
    cluster.learn([assignment({ epoch: 3, nextReplicas: [2, 3, 4], preferredLeader: 2 })]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    write(cluster, 'k2', 'w');
    cluster.learn([assignment({ epoch: 4, replicas: [2, 3, 4], preferredLeader: 2 })]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    write(cluster, 'k3', 'w');
    cluster.run(300);
    expect(converged(cluster, [2, 3, 4])).toBe(true);
    expect(cluster.storage(1).liveRows(P).size).toBe(0);
    expect(cluster.storage(1).records.get(P)?.promised).toBeGreaterThan(0);
  });
});

function leaderAmong(cluster: MemoryCluster, ordinals: readonly number[]): number {
  const leads = (ordinal: number): boolean =>
    cluster
      .shard(ordinal)
      .status()
      .some((entry) => entry.partition === P && entry.serving);
  return ordinals.find(leads) ?? 0;
}
