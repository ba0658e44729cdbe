/** The storage of a shard on a real PostgreSQL: what it stores is what is read again, also after a restart. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  describeRowDigests,
  describeRowsPast,
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
import type { ConnectionPurpose, ShardDatabaseOptions } from '../src/storage/shard-database.js';
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

async function open(options: Partial<ShardDatabaseOptions> = {}) {
  const result = await openStorage(server.url, options);
  opened.push(result.storage);
  return result;
}

function connect(): Promise<HotConnection> {
  return HotConnection.open({
    ...{ url: server.url, applicationName: 'another', connectTimeoutMs: 5_000, stallMs: 60_000 },
    onLost: () => undefined,
  });
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
describeRowsPast('PostgreSQL', openForTest);

describe('a partition of many rows', () => {
  const COUNT = 200_000;

  async function fill(partition: number, value: string): Promise<void> {
    const connection = await connect();
    await connection.runOnce(`INSERT INTO rows (partition, generation, key, value, content_type, revision, version,
        created_at, modified_at, expires_at, requests, request_floor)
      SELECT ${partition}, 1, convert_to('many/' || lpad(i::text, 7, '0'), 'UTF8'), ${value},
        '', 1, 1, 1, 1, NULL, '\\x00', 0
      FROM generate_series(1, ${COUNT}) AS i`);
    await connection.close();
  }

  it.each([
    ['delta', 40],
    ['page', 41],
  ] as const)(
    'is passed for a %s while transactions go on',
    async (kind, partition) => {
      const { storage } = await open();
      await fill(partition, "convert_to('value', 'UTF8')");
      const ended: string[] = [];
      const limits = { limitRows: 1_000, limitBytes: 1_000_000 };
      const read = { id: 1, partition, generation: 1, base: 5, keys: [], start: '', keysOnly: true, kind };
      const reading = storage.read({ ...read, ...limits }).then((result) => {
        ended.push(kind);
        return result;
      });
      for (let i = 0; i < 3; i++) {
        const upserts = upsertsOf(partition, [rowOf(`late/${i}`, { revision: 6 + i })]);
        await storage.commit(transactionOf({ upserts }));
        ended.push('transaction');
      }
      expect(await reading).toMatchObject({ rows: [] });
      expect(ended).toEqual(['transaction', 'transaction', 'transaction', kind]);
    },
    60_000,
  );

  it.each([false, true])(
    'is scanned in many statements where hardly anything is left, reverse %s',
    async (reverse) => {
      let statements = 0;
      const onRoundTrip = (purpose: ConnectionPurpose): void => {
        if (purpose === 'scans') statements += 1;
      };
      const { storage } = await open({ onRoundTrip });
      const partition = reverse ? 43 : 42;
      await fill(partition, 'NULL');
      const left = [rowOf('first'), rowOf('many/0100000a'), rowOf('zlast')];
      await storage.commit(transactionOf({ upserts: upsertsOf(partition, left) }));
      const limits = { keysOnly: true, limitRows: 10, limitBytes: 1_000_000 };
      const scan = { id: 1, partitions: [{ partition, generation: 1 }], range: { start: '', end: null } };
      const found = await storage.read({ kind: 'scan', ...scan, reverse, ...limits });
      const keys = (found as Extract<typeof found, { kind: 'scan' }>).rows.map(({ row }) => row.key);
      expect(reverse ? keys.reverse() : keys).toEqual(left.map(({ key }) => key));
      expect(found).toMatchObject({ more: false });
      expect(statements).toBeGreaterThan(COUNT / 10_000);
    },
    60_000,
  );
});

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
    const connection = await connect();
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
