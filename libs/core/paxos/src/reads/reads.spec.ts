import { describe, expect, it } from '@jest/globals';
import { HYBRID_UNITS_PER_MS } from '@ringleader/primitives';
import {
  answer,
  P,
  put,
  putOperation,
  read,
  rowsOf,
  scan,
  READS_ALL,
  started,
  textOf,
  write,
} from '../../test/cluster-client.js';
import { LIMITS, MemoryCluster, TIMINGS } from '../../test/memory-cluster.js';
import { RULES_WITHOUT_LEASE } from '../index.js';
import { assignment } from '../../test/cluster-client.js';

function writeExpiring(cluster: MemoryCluster, key: string, afterMs: number): void {
  const expiresAt = (cluster.now + afterMs) * HYBRID_UNITS_PER_MS;
  answer(cluster, put(cluster, key, '', { operation: putOperation(key, { expiresAt }) }));
}

function revisionAt(cluster: MemoryCluster, shard: number): number {
  return cluster.storage(shard).records.get(P)?.position.revision ?? 0;
}

describe('a row whose time has come', () => {
  it('is met as a tombstone which is decided before the read, and waits for its commit', () => {
    const cluster = started();
    writeExpiring(cluster, 'a', 100);
    cluster.run(200);
    expect(revisionAt(cluster, 1)).toBe(1);
    expect(textOf(answer(cluster, read(cluster, 1, 'a')))).toBe(null);
    const tombstone = cluster.storage(1).liveRows(P).get('a');
    expect(tombstone).toMatchObject({ value: null, revision: 2, version: 0 });
    expect(tombstone?.requests).toHaveLength(1);
    expect(cluster.shard(1).status()[0]?.commit).toBe(2);
  });

  it('is renewed by a write that was decided first', () => {
    const cluster = started();
    writeExpiring(cluster, 'a', 100);
    put(cluster, 'a', 'renewed');
    cluster.run(200);
    expect(textOf(answer(cluster, read(cluster, 1, 'a')))).toBe('renewed');
  });

  it('adds no more to what is in flight than writes may', () => {
    const inFlightRevisionsMax = 20;
    const cluster = started({ ...LIMITS, inFlightRevisionsMax, batchRowsMax: 8 });
    for (let index = 0; index < 100; index += 1) writeExpiring(cluster, `k${index}`, 1_000);
    write(cluster, 'stays', 'v');
    cluster.run(1_000);
    const committed = cluster.shard(1).status()[0]?.commit ?? 0;
    cluster.loses = (_from, { message }) => message.kind === 'accepts';
    const token = scan(cluster, 1);
    cluster.run(100);
    expect(revisionAt(cluster, 1) - committed).toBeGreaterThan(0);
    expect(revisionAt(cluster, 1) - committed).toBeLessThanOrEqual(inFlightRevisionsMax);
    expect(cluster.replies.has(token)).toBe(false);
    cluster.loses = () => false;
    expect(rowsOf(answer(cluster, token))?.map(({ key }) => key)).toEqual(['stays']);
    expect(revisionAt(cluster, 1)).toBe(committed + 100);
  });

  it('is not written over while the partition is handed over', () => {
    const cluster = started();
    cluster.kill(1);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    const leader = cluster.leaderOf(P);
    writeExpiring(cluster, 'a', 100);
    cluster.start(1);
    cluster.run(700);
    cluster.loses = (_from, { message }) => message.kind === 'accepts';
    put(cluster, 'b', 'keeps the handover waiting');
    const probes: number[] = [];
    cluster.until(() => {
      if (cluster.now % 50 === 0) probes.push(put(cluster, 'c', 'probe'));
      return probes.some((token) => cluster.replies.get(token)?.kind === 'notLeader');
    });
    expect(answer(cluster, read(cluster, leader, 'a'))).toMatchObject({ kind: 'notLeader' });
    expect(rowsOf(answer(cluster, scan(cluster, leader)))).toBe(null);
    cluster.loses = () => false;
    cluster.until(() => cluster.leaderOf(P) === 1);
    expect(cluster.storage(1).liveRows(P).get('a')?.value).not.toBe(null);
    expect(textOf(answer(cluster, read(cluster, 1, 'a')))).toBe(null);
  });
});

describe('without leases', () => {
  it('a round of Confirm answers each read, and followers tell no age', () => {
    const cluster = new MemoryCluster([1, 2, 3], LIMITS, TIMINGS, RULES_WITHOUT_LEASE);
    cluster.learn([assignment()]);
    cluster.until(() => cluster.leaderOf(P) !== 0);
    write(cluster, 'a', 'one');
    cluster.run(400);
    let confirms = 0;
    cluster.loses = (_from, { message }) => {
      if (message.kind === 'confirm') confirms += 1;
      return false;
    };
    expect(textOf(answer(cluster, read(cluster, 1, 'a')))).toBe('one');
    expect(confirms).toBeGreaterThanOrEqual(2);
    const young = { kind: 'stale', maxStalenessMs: 500 } as const;
    expect(answer(cluster, read(cluster, 2, 'a', young)).kind).toBe('tooStale');
    expect(textOf(answer(cluster, read(cluster, 1, 'a', young)))).toBe('one');
    expect(rowsOf(answer(cluster, scan(cluster, 1, young)))).toHaveLength(1);
  });
});

describe('a long value', () => {
  const LONG = 'x'.repeat(LIMITS.valueBytesBeforeWrites + 1);

  /** Its leader has written it and forgotten it. */
  function withForgottenRow(): { cluster: MemoryCluster; asked: number[] } {
    const cluster = started({ ...LIMITS, rowCacheBytesMax: 0 });
    write(cluster, 'k', LONG);
    write(cluster, 'another', '');
    const asked: number[] = [];
    cluster.holdsRead = (_shard, storageRead) => {
      if (storageRead.kind === 'rows')
        asked.push(...storageRead.keys.map(({ valueBytesMax }) => valueBytesMax));
      return false;
    };
    return { cluster, asked };
  }

  it('is not read for a write, also where that comes to nothing; and is for the read after it', () => {
    const { cluster, asked } = withForgottenRow();
    const conditions = [{ kind: 'ifAbsent' }] as const;
    const refused = put(cluster, 'k', 'v', { operation: putOperation('k', { conditions }) });
    expect(answer(cluster, refused).kind).toBe('conditionFailed');
    expect(asked).toEqual([LIMITS.valueBytesBeforeWrites]);
    expect(textOf(answer(cluster, read(cluster, 1, 'k')))).toBe(LONG);
    expect(asked).toEqual([LIMITS.valueBytesBeforeWrites, Number.POSITIVE_INFINITY]);
  });

  it('is read for whoever reads it behind a write of its key, and no write overtakes that', () => {
    const { cluster, asked } = withForgottenRow();
    const conditions = [{ kind: 'ifAbsent' }] as const;
    put(cluster, 'k', 'v', { operation: putOperation('k', { conditions }) });
    const before = read(cluster, 1, 'k');
    const next = put(cluster, 'k', 'next');
    const after = read(cluster, 1, 'k');
    expect(textOf(answer(cluster, before))).toBe(LONG);
    expect(answer(cluster, next).kind).toBe('written');
    expect(textOf(answer(cluster, after))).toBe('next');
    expect(asked).toEqual([LIMITS.valueBytesBeforeWrites, Number.POSITIVE_INFINITY]);
  });
});

it('asks the storage for nothing that cannot be there, but what was written in an earlier life', () => {
  const cluster = started({ ...LIMITS, rowCacheBytesMax: 0 });
  const asked: string[] = [];
  cluster.holdsRead = (_shard, storageRead) => {
    if (storageRead.kind === 'rows') asked.push(...storageRead.keys.map(({ key }) => key));
    return false;
  };
  for (const key of ['a', 'b']) write(cluster, key, 'v');
  expect(textOf(answer(cluster, read(cluster, 1, 'c')))).toBe(null);
  expect(asked).toEqual([]);
  write(cluster, 'b', 'v');
  expect(asked).toEqual(['b']);
  cluster.kill(1);
  cluster.start(1);
  cluster.until(() => cluster.leaderOf(P) === 1);
  asked.length = 0;
  for (const key of ['a', 'd']) write(cluster, key, 'v');
  expect(asked).toEqual(['a', 'd']);
});

it('asks the storage for no more than a few rows at once', () => {
  const cluster = started({ ...LIMITS, rowCacheBytesMax: 0 }, undefined, READS_ALL);
  const sizes: number[] = [];
  cluster.holdsRead = (_shard, storageRead) => {
    if (storageRead.kind === 'rows') sizes.push(storageRead.keys.length);
    return false;
  };
  const tokens = Array.from({ length: 40 }, (_, index) => read(cluster, 1, `k${index}`));
  for (const token of tokens) expect(textOf(answer(cluster, token))).toBe(null);
  expect(sizes).toEqual([16, 16, 8]);
});
