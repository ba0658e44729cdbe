import { describe, expect, it } from '@jest/globals';
import { HYBRID_UNITS_PER_MS } from '@ringleader/primitives';
import { answer, assignment, P, put, putOperation, read, started, write } from '../../test/cluster-client.js';
import { LIMITS, MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';
import { KEYED_ID_PREFIX, type OutgoingMessage } from '../index.js';

const REST = TIMINGS.purgeRestMs;
const ALL = [1, 2, 3];

function remove(cluster: MemoryCluster, key: string): void {
  const reply = answer(
    cluster,
    put(cluster, key, '', { operation: { kind: 'delete', key, conditions: [] } }),
  );
  expect(reply.kind).toBe('written');
}

function writeAll(cluster: MemoryCluster, keys: readonly string[]): void {
  for (const key of keys) write(cluster, key, 'v');
}

function keysAt(cluster: MemoryCluster, shard: number): string[] {
  return [...cluster.storage(shard).liveRows(P).keys()].sort();
}

function purgedTo(cluster: MemoryCluster, shard: number): number {
  return cluster.storage(shard).records.get(P)?.purgedTo ?? 0;
}

const isWord = ({ message }: OutgoingMessage, leader: number): boolean =>
  message.kind === 'promised' && message.ballot % 65_536 === leader && message.purgedTo > 0;

describe('a deleted key', () => {
  it('leaves nothing behind once it has rested, anywhere, and is not spoken of any more', () => {
    const cluster = started();
    writeAll(cluster, ['a', 'b', 'c']);
    cluster.run(2 * REST);
    const quiet = (): number => {
      const { messagesSent } = cluster;
      cluster.run(10 * TIMINGS.heartbeatIntervalMs);
      return cluster.messagesSent - messagesSent;
    };
    const before = quiet();
    remove(cluster, 'a');
    remove(cluster, 'c');
    cluster.run(REST / 2);
    expect(ALL.map((shard) => keysAt(cluster, shard).length)).toEqual([3, 3, 3]);
    cluster.run(2 * REST);
    expect(ALL.map((shard) => keysAt(cluster, shard))).toEqual([['b'], ['b'], ['b']]);
    expect(ALL.map((shard) => purgedTo(cluster, shard))).toEqual([5, 5, 5]);
    expect(cluster.storage(2).records.get(P)?.dedupeFloor).toBeGreaterThan(HYBRID_UNITS_PER_MS);
    expect(quiet()).toBeLessThanOrEqual(before * 1.05);
    expect(ALL.map((shard) => cluster.shard(shard).purging())).toEqual(
      ALL.map(() => ({ tombstones: 0, purgedTotal: 2, lagRevisions: 0, lookedForIn: 0 })),
    );
  });

  it('stays deleted, and the key that was written again stays', () => {
    const cluster = started();
    writeAll(cluster, ['a', 'b']);
    remove(cluster, 'a');
    remove(cluster, 'b');
    cluster.run(REST / 2);
    write(cluster, 'b', 'again');
    cluster.run(2 * REST);
    expect(ALL.map((shard) => keysAt(cluster, shard))).toEqual([['b'], ['b'], ['b']]);
    remove(cluster, 'b');
    write(cluster, 'a', 'again');
    cluster.run(3 * REST);
    expect(ALL.map((shard) => keysAt(cluster, shard))).toEqual([['a'], ['a'], ['a']]);
  });

  it('is one that expired, too, once somebody has looked', () => {
    const cluster = started();
    const expiresAt = (cluster.now + 100) * HYBRID_UNITS_PER_MS;
    answer(cluster, put(cluster, 'a', '', { operation: putOperation('a', { expiresAt }) }));
    write(cluster, 'b', 'v');
    cluster.run(200);
    expect(answer(cluster, read(cluster, cluster.leaderOf(P), 'a'))).toMatchObject({ kind: 'row' });
    cluster.run(2 * REST);
    expect(ALL.map((shard) => keysAt(cluster, shard))).toEqual([['b'], ['b'], ['b']]);
  });

  // Longer than it takes until nobody repeats a keyed write any more, or not.
  it.each([
    [TIMINGS.repeatWindowMs + TIMINGS.clocksDifferMs, 'written'],
    [100, 'outcomeUnknown'],
  ])(
    'that rested for %i ms before it went: a keyed write of another key is %s after a restart',
    (rest, kind) => {
      const cluster = new MemoryCluster(ALL, LIMITS, { ...TIMINGS, purgeRestMs: rest });
      cluster.learn([assignment()]);
      cluster.until(() => cluster.leaderOf(P) !== 0);
      writeAll(cluster, ['a', 'b']);
      remove(cluster, 'a');
      cluster.until(() => ALL.every((shard) => purgedTo(cluster, shard) > 0));
      for (const shard of ALL) {
        cluster.kill(shard);
        cluster.start(shard);
      }
      cluster.until(() => cluster.leaderOf(P) !== 0);
      expect(answer(cluster, put(cluster, 'c', 'v', { requestId: `${KEYED_ID_PREFIX}c` })).kind).toBe(kind);
    },
  );

  it('stays where a clock far ahead wrote it: other keys would take all that comes for forgotten repeats', () => {
    const cluster = started();
    writeAll(cluster, ['a', 'b', 'c']);
    const origin = (cluster.now + 20_000) * HYBRID_UNITS_PER_MS;
    const operation = { kind: 'delete', key: 'a', conditions: [] } as const;
    expect(answer(cluster, put(cluster, 'a', '', { operation, origin })).kind).toBe('written');
    remove(cluster, 'b');
    cluster.run(3 * REST);
    expect(ALL.map((shard) => keysAt(cluster, shard).join(''))).toEqual(['ac', 'ac', 'ac']);
    expect(write(cluster, 'd', 'v').kind).toBe('written');
    cluster.run(20_000);
    expect(ALL.map((shard) => keysAt(cluster, shard).join(''))).toEqual(['cd', 'cd', 'cd']);
  });

  it('waits for a replica that is away, up to purgeAfter; that one brings no key back', () => {
    const timings = { ...TIMINGS, purgeAfterMs: 20_000 };
    const cluster = new MemoryCluster(ALL, LIMITS, timings);
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    writeAll(cluster, ['a', 'b']);
    cluster.run(100);
    cluster.kill(3);
    remove(cluster, 'a');
    cluster.run(timings.purgeAfterMs - 2_000);
    expect([1, 2].map((shard) => keysAt(cluster, shard))).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    cluster.run(2_000 + 2 * REST);
    // More than a leader keeps of its batches.
    writeAll(
      cluster,
      Array.from({ length: 300 }, () => 'b'),
    );
    expect([1, 2].map((shard) => keysAt(cluster, shard))).toEqual([['b'], ['b']]);
    cluster.start(3);
    cluster.until(() => keysAt(cluster, 3).length === 1);
    expect(cluster.events.some(({ event }) => event.kind === 'copyFinished')).toBe(true);
    expect(purgedTo(cluster, 3)).toBe(3);
  });

  it('is found by a process that was not there when it was deleted', () => {
    const cluster = started();
    writeAll(cluster, ['a', 'b', 'c', 'd']);
    remove(cluster, 'b');
    remove(cluster, 'd');
    cluster.run(100);
    for (const shard of ALL) {
      cluster.kill(shard);
      cluster.start(shard);
    }
    cluster.until(() => cluster.leaderOf(P) !== 0);
    cluster.until(() => ALL.every((shard) => keysAt(cluster, shard).join('') === 'ac'));
  });

  it('goes where the word of the leader was lost', () => {
    const cluster = started();
    writeAll(cluster, ['a', 'b']);
    remove(cluster, 'b');
    const leader = cluster.leaderOf(P);
    const others = ALL.filter((shard) => shard !== leader);
    let lost = 0;
    cluster.loses = (from, outgoing) => {
      const isLost = from === leader && lost < 2 && isWord(outgoing, leader);
      lost += Number(isLost);
      return isLost;
    };
    cluster.until(() => lost === 2);
    expect(others.map((shard) => keysAt(cluster, shard))).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
    cluster.until(() => ALL.every((shard) => keysAt(cluster, shard).length === 1));
  });

  it('goes although memory did not hold all that were deleted with it', () => {
    const keys = Array.from({ length: 200 }, (_, index) => `k${String(index).padStart(3, '0')}`);
    const cluster = started({ ...LIMITS, tombstoneBytesMax: 2_000 });
    writeAll(cluster, keys);
    for (const key of keys) if (!key.endsWith('7')) remove(cluster, key);
    expect(cluster.shard(1).purging().tombstones).toBeLessThan(30);
    cluster.until(() => ALL.every((shard) => keysAt(cluster, shard).length === 20), 60_000);
    cluster.run(REST);
    expect(ALL.map((shard) => cluster.shard(shard).purging())).toEqual(
      ALL.map(() => ({ tombstones: 0, purgedTotal: 180, lagRevisions: 0, lookedForIn: 0 })),
    );
  });

  it('is found in a copy whose last rows wait for a transaction that is under way', () => {
    const cluster = new MemoryCluster([1, 2, 3, 4], { ...LIMITS, repairRowsMax: 4 });
    const other = P + 1;
    const [learning, besides] = [
      assignment({ epoch: 2, learners: [4] }),
      assignment({ partition: other, replicas: [1, 2, 4] }),
    ];
    cluster.learn([assignment(), besides]);
    cluster.until(() => cluster.leaderOf(P) === 1 && cluster.leaderOf(other) === 1);
    const keys = Array.from({ length: 12 }, (_, index) => `k${String(index).padStart(2, '0')}`);
    writeAll(cluster, keys);
    cluster.loses = (_from, { to, message }) => to === 4 && message.kind === 'finish';
    cluster.learn([learning, besides]);
    cluster.until(() => cluster.storage(4).records.get(P)?.staging?.nextKey === null);
    const operation = { kind: 'delete', key: 'k05', conditions: [] } as const;
    expect(answer(cluster, put(cluster, 'k05', '', { epoch: 2, operation })).kind).toBe('written');
    cluster.pace = { turnMs: () => 0, transactionMs: () => 2 * TIMINGS.heartbeatIntervalMs };
    put(cluster, 'x', 'v', { partition: other, ballot: cluster.ballotOf(other) });
    cluster.run(5);
    cluster.loses = () => false;
    cluster.until(() => [...ALL, 4].every((shard) => !keysAt(cluster, shard).includes('k05')), 60_000);
  });

  it('waits for a learner that is copied to, which finds what it was sent', () => {
    const cluster = new MemoryCluster([1, 2, 3, 4], { ...LIMITS, repairRowsMax: 4 });
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    const keys = Array.from({ length: 40 }, (_, index) => `k${String(index).padStart(2, '0')}`);
    writeAll(cluster, keys);
    let pages = 0;
    cluster.loses = (_from, { message }) => {
      pages += Number(message.kind === 'page');
      return message.kind === 'page' && pages > 3;
    };
    cluster.learn([assignment({ epoch: 2, learners: [4] })]);
    cluster.until(() => pages > 3);
    for (const key of keys.slice(10)) {
      const operation = { kind: 'delete', key, conditions: [] } as const;
      expect(answer(cluster, put(cluster, key, '', { epoch: 2, operation })).kind).toBe('written');
    }
    cluster.run(5 * REST);
    expect(ALL.map((shard) => purgedTo(cluster, shard))).toEqual([0, 0, 0]);
    expect(keysAt(cluster, cluster.leaderOf(P))).toHaveLength(40);
    cluster.loses = () => false;
    cluster.until(() => [...ALL, 4].every((shard) => keysAt(cluster, shard).length === 10), 60_000);
  });

  it('is found where it came with the last rows of a copy, which take long to be durable', () => {
    const cluster = new MemoryCluster([1, 2, 3, 4], { ...LIMITS, repairRowsMax: 4 });
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    const keys = Array.from({ length: 40 }, (_, index) => `k${String(index).padStart(2, '0')}`);
    writeAll(cluster, keys);
    let ends = 0;
    cluster.loses = (_from, { message }) => {
      ends += Number(message.kind === 'finish');
      return message.kind === 'finish';
    };
    cluster.learn([assignment({ epoch: 2, learners: [4] })]);
    cluster.until(() => ends > 0);
    const operation = { kind: 'delete', key: 'k00', conditions: [] } as const;
    expect(answer(cluster, put(cluster, 'k00', '', { epoch: 2, operation })).kind).toBe('written');
    cluster.showsLate = true;
    cluster.pace = { ...cluster.pace, transactionMs: () => 2 * TIMINGS.heartbeatIntervalMs };
    cluster.loses = () => false;
    cluster.run(5 * REST);
    expect([...ALL, 4].map((shard) => keysAt(cluster, shard).length)).toEqual([39, 39, 39, 39]);
  });
});
