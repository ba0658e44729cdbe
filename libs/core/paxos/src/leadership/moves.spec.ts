import { describe, expect, it } from '@jest/globals';
import { HYBRID_UNITS_PER_MS } from '@ringleader/primitives';
import { answer, assignment, P, put, started as startedOn, write } from '../../test/cluster-client.js';
import { LIMITS, MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';
import type { MoveReport } from '../ready.js';

const ROWS = 60;
const WINDOW_MS = TIMINGS.repeatWindowMs + TIMINGS.clocksDifferMs;
const ROW_REMEMBERS = 4;

function started(): MemoryCluster {
  const cluster = new MemoryCluster([1, 2, 3, 4], { ...LIMITS, repairRowsMax: 10 });
  cluster.learn([assignment()]);
  cluster.until(() => cluster.leaderOf(P) !== 0);
  for (let index = 0; index < ROWS; index += 1) write(cluster, `k${index}`, 'v'.repeat(100));
  return cluster;
}

function reportAt(cluster: MemoryCluster, shard: number): MoveReport | undefined {
  return cluster.shard(shard).moves(() => 1_000_000)[0];
}

/** Of whoever leads. */
function report(cluster: MemoryCluster): MoveReport | undefined {
  const leader = cluster.leaderOf(P);
  return leader === 0 ? undefined : reportAt(cluster, leader);
}

/** Returns what repeats it in a later epoch, when its row has forgotten it: whoever leads must know that it was done. */
function writeKeyed(cluster: MemoryCluster, epoch = 1): (epoch: number) => void {
  const keyed = { requestId: 'key:1', origin: cluster.now * HYBRID_UNITS_PER_MS, epoch };
  const first = answer(cluster, put(cluster, 'k0', 'keyed', keyed));
  for (let n = 0; n < ROW_REMEMBERS; n += 1)
    answer(cluster, put(cluster, 'k0', `${n}`, { requestId: `key:other ${n}`, epoch }));
  return (now) => {
    expect(cluster.now * HYBRID_UNITS_PER_MS).toBeLessThan(keyed.origin + WINDOW_MS * HYBRID_UNITS_PER_MS);
    expect(answer(cluster, put(cluster, 'k0', 'keyed', { ...keyed, epoch: now }))).toMatchObject({
      kind: 'written',
      revision: first.kind === 'written' ? first.revision : 0,
    });
  };
}

describe('reports of moves', () => {
  it('say nothing of a partition whose replicas stay', () => {
    const cluster = startedOn();
    expect([1, 2, 3].map((shard) => cluster.shard(shard).moves().length)).toEqual([0, 0, 0]);
  });

  it('tell how far a learner has come, and when it is within one repair', () => {
    const cluster = started();
    cluster.learn([assignment({ epoch: 2, learners: [4] })]);
    cluster.until(() => (report(cluster)?.learners[0]?.bytesDone ?? 0) > 0);
    expect(report(cluster)).toMatchObject({
      partition: P,
      epoch: 2,
      ballot: cluster.ballotOf(P),
      ready: false,
      learners: [{ ordinal: 4, caughtUp: false, bytesTotal: 1_000_000 }],
    });
    cluster.until(() => report(cluster)?.learners[0]?.caughtUp === true);
    const [learner] = report(cluster)?.learners ?? [];
    expect(learner?.bytesDone).toBeGreaterThan(ROWS * 100);
    expect(learner?.bytesTotal).toBe(learner?.bytesDone);
    expect(cluster.storage(4).liveRows(P).size).toBe(ROWS);
  });

  it('count what went as a repair, too', () => {
    const cluster = startedOn();
    for (let index = 0; index < 5; index += 1) write(cluster, `k${index}`, 'v'.repeat(100));
    cluster.learn([assignment({ epoch: 2, replicas: [1, 2], learners: [3] })]);
    cluster.until(() => report(cluster)?.learners[0]?.caughtUp === true);
    const before = report(cluster)?.learners[0]?.bytesDone ?? 0;
    cluster.kill(3);
    for (let index = 0; index < 300; index += 1) write(cluster, `m${index % 5}`, 'v'.repeat(100));
    cluster.start(3);
    cluster.until(() => cluster.storage(3).liveRows(P).size === 10);
    expect(report(cluster)?.learners[0]?.bytesDone).toBeGreaterThanOrEqual(before + 5 * 100);
  });

  it('call a learner caught up no more once it is gone and more was written than a repair carries', () => {
    const cluster = started();
    cluster.learn([assignment({ epoch: 2, learners: [4] })]);
    cluster.until(() => report(cluster)?.learners[0]?.caughtUp === true);
    cluster.kill(4);
    for (let index = 0; index < 11; index += 1) write(cluster, `m${index}`, 'v');
    expect(report(cluster)?.learners).toMatchObject([{ caughtUp: false }]);
  });

  it('are ready only when the barrier is committed in both sets', () => {
    const cluster = started();
    // Nobody of the new set but the leader follows, so there is no quorum of it.
    cluster.loses = (_from, { message }) =>
      ['delta', 'page', 'finish'].includes(message.kind) ||
      (message.kind === 'accepts' && message.batches[0]?.epoch === 2);
    cluster.learn([assignment({ epoch: 2, nextReplicas: [1, 3, 4] })]);
    cluster.until(() => reportAt(cluster, 1) !== undefined);
    expect(reportAt(cluster, 1)).toMatchObject({ epoch: 2, ready: false, learners: [] });
    for (let step = 0; step < 100; step += 1) {
      cluster.step();
      expect(reportAt(cluster, 1)?.ready ?? false).toBe(false);
    }
    cluster.loses = () => false;
    cluster.until(() => report(cluster)?.ready === true);
    expect(cluster.storage(4).liveRows(P).size).toBe(ROWS);
  });

  it('wait for all of the new set, but not for one that is down', () => {
    const cluster = started();
    cluster.kill(4);
    cluster.learn([assignment({ epoch: 2, nextReplicas: [1, 3, 4] })]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    cluster.run(2 * TIMINGS.leaseMs);
    expect(report(cluster)).toMatchObject({ epoch: 2, ready: false });
    const took = cluster.until(() => report(cluster)?.ready === true);
    expect(took).toBeLessThan(4 * TIMINGS.leaseMs);
  });

  it('do not wait for the last write to be everywhere while users go on writing', () => {
    const cluster = started();
    cluster.learn([assignment({ epoch: 2, nextReplicas: [1, 3, 4] })]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    const follows = (): boolean => {
      // The newcomer has each write only when the next ones are committed among the others.
      if (cluster.now % 6 === 0) cluster.pause(4, 6);
      put(cluster, 'k0', 'w', { epoch: 2 });
      return report(cluster)?.ready === true;
    };
    expect(cluster.until(follows)).toBeLessThan(500);
    expect(cluster.storage(4).liveRows(P).size).toBe(ROWS);
  });

  it('come from a leader of the new set: one that leaves hands over first, to whom the map prefers', () => {
    const cluster = started();
    cluster.learn([assignment({ epoch: 2, nextReplicas: [2, 3, 4], preferredLeader: 3 })]);
    cluster.until(() => reportAt(cluster, 1) !== undefined);
    expect(reportAt(cluster, 1)?.ready).toBe(false);
    const took = cluster.until(() => report(cluster)?.ready === true);
    expect(cluster.leaderOf(P)).toBe(3);
    expect(took).toBeLessThan(TIMINGS.leaseMs);
  });

  it('do not wait for a preferred leader that cannot lead', () => {
    const cluster = started();
    cluster.kill(3);
    cluster.learn([assignment({ epoch: 2, nextReplicas: [2, 3, 4], preferredLeader: 3 })]);
    cluster.until(() => report(cluster)?.ready === true);
    expect(cluster.leaderOf(P)).toBe(2);
  });

  it('do not wait for a preferred leader that leaves too', () => {
    const cluster = started();
    cluster.learn([assignment({ epoch: 2, nextReplicas: [2, 3, 4], preferredLeader: 1 })]);
    cluster.until(() => report(cluster)?.ready === true);
    expect(cluster.leaderOf(P)).toBe(2);
    // Nor is it passed back to it, only to leave again.
    const ballot = cluster.ballotOf(P);
    cluster.run(10 * TIMINGS.leaseMs);
    expect(cluster.ballotOf(P)).toBe(ballot);
  });

  it('end with a newcomer that is preferred leading, who knows which keyed writes may be repeated', () => {
    const cluster = started();
    cluster.run(2 * WINDOW_MS);
    cluster.learn([assignment({ epoch: 2, nextReplicas: [1, 3, 4] })]);
    cluster.until(() => report(cluster)?.ready === true);
    cluster.learn([assignment({ epoch: 3, replicas: [1, 3, 4], preferredLeader: 4 })]);
    cluster.until(() => cluster.leaderOf(P) === 1);
    const repeatIn = writeKeyed(cluster, 3);
    expect(cluster.until(() => cluster.leaderOf(P) === 4)).toBeLessThan(3 * TIMINGS.leaseMs);
    repeatIn(3);
  });

  it('tell a newcomer which keyed writes may be repeated, whoever copied to it', () => {
    const cluster = started();
    cluster.run(2 * WINDOW_MS);
    const repeatIn = writeKeyed(cluster);
    cluster.learn([assignment({ epoch: 2, learners: [4] })]);
    cluster.until(() => report(cluster)?.learners.every(({ caughtUp }) => caughtUp) === true);
    cluster.learn([assignment({ epoch: 3, nextReplicas: [2, 3, 4], preferredLeader: 4 })]);
    cluster.until(() => report(cluster)?.ready === true);
    repeatIn(3);
    cluster.learn([assignment({ epoch: 4, replicas: [2, 3, 4], preferredLeader: 4 })]);
    cluster.until(() => cluster.leaderOf(P) === 4);
    repeatIn(4);
  });

  it('leave no doubt of keyed writes in a cluster that is younger than clients may repeat', () => {
    const cluster = new MemoryCluster([1, 2, 3, 4], { ...LIMITS, repairRowsMax: 10 });
    cluster.run(2 * WINDOW_MS);
    const foundedAt = cluster.now;
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    for (let index = 0; index < ROWS; index += 1) write(cluster, `k${index}`, 'v'.repeat(100));
    const keyed = (n: number, epoch: number): string =>
      answer(cluster, put(cluster, 'k0', `${n}`, { requestId: `key:${n}`, epoch })).kind;
    for (let n = 0; n <= ROW_REMEMBERS; n += 1) expect(keyed(n, 1)).toBe('written');
    cluster.learn([assignment({ epoch: 2, nextReplicas: [1, 3, 4] })]);
    cluster.until(() => report(cluster)?.ready === true);
    cluster.learn([assignment({ epoch: 3, replicas: [1, 3, 4], preferredLeader: 4 })]);
    cluster.until(() => cluster.leaderOf(P) === 4);
    expect(keyed(10, 3)).toBe('written');
    expect(cluster.now - foundedAt).toBeLessThan(WINDOW_MS);
  });

  it('give the leadership back to the preferred one that returns, in a joint epoch too', () => {
    const cluster = started();
    cluster.kill(1);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    cluster.learn([assignment({ epoch: 2, nextReplicas: [1, 3, 4] })]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    cluster.start(1);
    cluster.until(() => cluster.leaderOf(P) === 1);
    cluster.until(() => report(cluster)?.ready === true);
  });
});
