/** The storage of a shard on a real PostgreSQL: what it stores is what is read again, also after a restart. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  describeRowDigests,
  describeShardStorage,
  readRows,
  recordOf,
  rowOf,
  type StorageUnderTest,
  transactionOf,
  upsertsOf,
} from '@ringleader/testing-conformance';
import { HotConnection } from '@ringleader/postgres';
import { startPostgres, type TestServer } from '@ringleader/testing-servers';
import type { ShardStorage } from '../src/storage/shard-storage.js';
import { openStorage } from './storage.fixtures.js';

let dir: string;
let server: TestServer;
const opened: ShardStorage[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ringleader-storage-'));
  server = await startPostgres({ dir });
}, 60_000);

afterEach(async () => {
  await Promise.allSettled(opened.splice(0).map((storage) => storage.close()));
});

afterAll(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

async function open() {
  const result = await openStorage(server.url);
  opened.push(result.storage);
  return result;
}

async function reopen(storage: ShardStorage) {
  await storage.close();
  return open();
}

async function openForTest(): Promise<StorageUnderTest> {
  let { storage } = await open();
  return {
    commit: (transaction) => storage.commit(transaction),
    read: (read) => storage.read(read),
    removeGeneration: (removal) => storage.removeGeneration(removal),
    restart: async () => {
      const reopened = await reopen(storage);
      ({ storage } = reopened);
      await storage.removeLeftovers();
      return reopened.records;
    },
  };
}

describeShardStorage('PostgreSQL', openForTest);
describeRowDigests('PostgreSQL', openForTest);

describe('transactions', () => {
  it('keep the last record of each partition over restarts, folded or not', async () => {
    const { storage } = await open();
    const staging = {
      copyId: 9,
      generation: 2,
      ballot: 65_538,
      base: 4,
      nextBase: 8,
      purgedTo: 1,
      dedupeFloor: 2 ** 51,
      nextKey: 'next',
      pass: 2,
    };
    const last = [
      recordOf(10, { promised: 2 ** 50 + 1, commitBound: 1, staging }),
      recordOf(11, { epoch: 5, dedupeFloor: 2 ** 52, staging: { ...staging, nextKey: null } }),
    ];
    await storage.commit(transactionOf({ records: [recordOf(10), recordOf(11)] }));
    await storage.commit(transactionOf({ records: [last[0]!] }));
    const second = await reopen(storage);
    expect(second.records.find(({ partition }) => partition === 10)).toEqual(last[0]);
    await second.storage.commit(transactionOf({ records: [last[1]!] }));
    const third = await reopen(second.storage);
    const { records } = await reopen(third.storage);
    expect(records.filter(({ partition }) => partition === 10 || partition === 11)).toEqual(
      expect.arrayContaining(last),
    );
  });

  it('fold the record log while transactions go on, and lose no record', async () => {
    const { storage } = await open();
    const transactions = 4_500;
    for (let i = 1; i <= transactions; i++) {
      await storage.commit(transactionOf({ records: [recordOf(20 + (i % 7), { promised: i })] }));
    }
    const { records } = await reopen(storage);
    const promised = records
      .filter(({ partition }) => partition >= 20 && partition < 27)
      .map((r) => r.promised);
    expect(promised.sort((a, b) => a - b)).toEqual([4494, 4495, 4496, 4497, 4498, 4499, 4500]);
  }, 60_000);
});

describe('the fence', () => {
  it('refuses transactions of an earlier incarnation, whose session is ended', async () => {
    const first = await open();
    const second = await open();
    expect(second.incarnation).toBe(first.incarnation + 1);
    await expect(
      first.storage.commit(transactionOf({ upserts: upsertsOf(30, [rowOf('late')]) })),
    ).rejects.toMatchObject({ code: 'STORAGE_FAILED' });
    expect(await readRows(second.storage, 30, ['late'])).toEqual([null]);
  });

  it('holds back every part of a transaction', async () => {
    const { storage, incarnation } = await open();
    const kept = rowOf('kept');
    await storage.commit(transactionOf({ records: [recordOf(31)], upserts: upsertsOf(31, [kept]) }));
    const connection = await HotConnection.open({
      ...{ url: server.url, applicationName: 'another', connectTimeoutMs: 5_000, stallMs: 5_000 },
      onLost: () => undefined,
    });
    await connection.runOnce(`UPDATE shard_identity SET incarnation = ${incarnation + 1}`);
    for (const removals of [[], [{ partition: 31, generation: 1, key: 'kept', revision: null }]]) {
      const late = { records: [recordOf(31, { promised: 9 })], upserts: upsertsOf(31, [rowOf('late')]) };
      await expect(storage.commit(transactionOf({ ...late, removals }))).rejects.toMatchObject({
        ...{ code: 'STORAGE_FAILED', details: { reason: 'fenced' } },
      });
    }
    await connection.close();
    const second = await reopen(storage);
    expect(await readRows(second.storage, 31, ['kept', 'late'])).toEqual([kept, null]);
    expect(second.records.find(({ partition }) => partition === 31)).toEqual(recordOf(31));
  });
});
