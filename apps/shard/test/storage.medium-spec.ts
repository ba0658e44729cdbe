/** The storage of a shard on a real PostgreSQL: what it stores is what is read again, also after a restart. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Row, ScanRead, StorageReadResult } from '@ringleader/paxos';
import { seededPrng } from '@ringleader/primitives';
import { startPostgres, type TestServer } from '@ringleader/testing-servers';
import type { ShardStorage } from '../src/storage/shard-storage.js';
import { openStorage, readRows, recordOf, rowOf, transactionOf, upsertsOf } from './storage.fixtures.js';

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

async function scan(storage: ShardStorage, read: Partial<ScanRead>) {
  const result = await storage.read({
    kind: 'scan',
    id: 7,
    partitions: [],
    range: { start: '', end: null },
    reverse: false,
    keysOnly: false,
    limitRows: 100,
    limitBytes: 1_000_000,
    ...read,
  });
  return result as Extract<StorageReadResult, { kind: 'scan' }>;
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

describe('transactions', () => {
  it('store rows of every shape and give them back unchanged', async () => {
    const { storage } = await open();
    const rows: Row[] = [
      rowOf('plain'),
      rowOf('tombstone', { value: null, version: 0, contentType: '' }),
      rowOf('empty value', { value: new Uint8Array(0) }),
      rowOf('\u0000 and 😀', { contentType: 'odd/\u0000type' }),
      rowOf('k'.repeat(1024), { value: Buffer.alloc(1_048_576, 0xa5) }),
      rowOf('numbers', {
        revision: Number.MAX_SAFE_INTEGER,
        version: 2 ** 40,
        expiresAt: 1_790_000_000_123 * 1024,
        requestFloor: 2 ** 52 + 1,
        requests: [
          { id: 'a'.repeat(64), origin: 2 ** 52 + 3, revision: 7, version: 1 },
          { id: 'ü', origin: 0, revision: Number.MAX_SAFE_INTEGER, version: 2 ** 40 },
        ],
      }),
    ];
    await storage.commit(transactionOf({ records: [recordOf(3)], upserts: upsertsOf(3, rows) }));
    const read = await readRows(storage, 3, [...rows.map(({ key }) => key), 'absent']);
    expect(read.slice(0, -1)).toEqual(
      rows.map((row) => ({ ...row, value: row.value && Buffer.from(row.value) })),
    );
    expect(read.at(-1)).toBeNull();
  });

  it('replace and remove rows; a row that is written and removed is gone', async () => {
    const { storage } = await open();
    await storage.commit(transactionOf({ upserts: upsertsOf(4, [rowOf('a'), rowOf('b'), rowOf('c')]) }));
    await storage.commit(
      transactionOf({
        upserts: upsertsOf(4, [
          rowOf('a', { revision: 2, version: 2 }),
          rowOf('b', { revision: 3 }),
          rowOf('d'),
        ]),
        removals: ['b', 'c', 'd'].map((key) => ({ partition: 4, generation: 1, key })),
      }),
    );
    const [a, b, c, d] = await readRows(storage, 4, ['a', 'b', 'c', 'd']);
    expect(a).toMatchObject({ revision: 2, version: 2 });
    expect([b, c, d]).toEqual([null, null, null]);
  });

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
});

describe('scans', () => {
  it('merge partitions in byte order, forward and in reverse, by any limit', async () => {
    const { storage } = await open();
    const prng = seededPrng(11);
    const keys = Array.from(
      { length: 500 },
      (_, i) => `scan/${String.fromCodePoint(32 + prng.nextBelow(900))}/${i}`,
    );
    const upserts = keys.map((key, i) => ({
      partition: 40 + prng.nextBelow(5),
      generation: 1,
      row: rowOf(key, i % 10 === 0 ? { value: null } : {}),
    }));
    await storage.commit(transactionOf({ upserts }));
    const live = keys.filter((_, i) => i % 10 !== 0).sort(byBytes);
    const partitions = [40, 41, 42, 43, 44].map((partition) => ({ partition, generation: 1 }));
    for (const reverse of [false, true]) {
      const expected = reverse ? [...live].reverse() : live;
      for (const limitRows of [1, 7, 100, live.length, live.length + 1]) {
        const result = await scan(storage, { partitions, reverse, limitRows });
        expect(result.rows.map(({ row }) => row.key)).toEqual(expected.slice(0, limitRows));
        expect(result.more).toBe(limitRows < live.length);
      }
    }
    const middle = await scan(storage, { partitions, range: { start: live[100]!, end: live[110]! } });
    expect(middle.rows.map(({ row }) => row.key)).toEqual(live.slice(100, 110));
    expect(middle.more).toBe(false);
    const reversed = await scan(storage, {
      partitions,
      reverse: true,
      keysOnly: true,
      limitRows: 5,
      range: { start: live[100]!, end: live[110]! },
    });
    expect(reversed.rows.map(({ row }) => row.key)).toEqual(live.slice(105, 110).reverse());
    expect(reversed.rows.every(({ row }) => row.value?.length === 0)).toBe(true);
    expect(reversed.more).toBe(true);
  });

  it('stop at the limit of bytes, after one row at least', async () => {
    const { storage } = await open();
    const rows = ['1', '2', '3', '4'].map((key) => rowOf(key, { value: Buffer.alloc(10_000) }));
    await storage.commit(transactionOf({ upserts: upsertsOf(46, rows) }));
    const partitions = [{ partition: 46, generation: 1 }];
    const two = await scan(storage, { partitions, limitBytes: 15_000 });
    expect(two.rows).toHaveLength(2);
    expect(two.more).toBe(true);
    expect((await scan(storage, { partitions, limitBytes: 1 })).rows).toHaveLength(1);
  });
});

describe('deltas and pages', () => {
  it('read the state after the transaction handed over before, not after the next', async () => {
    const { storage } = await open();
    const first = storage.commit(transactionOf({ upserts: upsertsOf(50, [rowOf('x', { revision: 1 })]) }));
    const delta = storage.read({
      kind: 'delta',
      id: 1,
      partition: 50,
      generation: 1,
      base: 0,
      keys: ['x', 'y'],
      limitRows: 10,
      limitBytes: 1_000,
    });
    const second = storage.commit(
      transactionOf({ upserts: upsertsOf(50, [rowOf('x', { revision: 2 }), rowOf('y', { revision: 3 })]) }),
    );
    await Promise.all([first, second]);
    const result = (await delta) as Extract<StorageReadResult, { kind: 'delta' }>;
    expect(result.rows.map(({ key, revision }) => [key, revision])).toEqual([['x', 1]]);
    expect(result.named.map((row) => row?.revision ?? null)).toEqual([1, null]);
  });

  it('say when a delta is too large, by rows and by bytes', async () => {
    const { storage } = await open();
    const rows = [1, 2, 3].map((revision) => rowOf(`k${revision}`, { revision, value: Buffer.alloc(1_000) }));
    await storage.commit(transactionOf({ upserts: upsertsOf(51, rows) }));
    const read = { kind: 'delta', id: 1, partition: 51, generation: 1, base: 1, keys: ['k1'] } as const;
    const fits = await storage.read({ ...read, limitRows: 2, limitBytes: 10_000 });
    expect(fits).toMatchObject({
      tooLarge: false,
      rows: [{ key: 'k2' }, { key: 'k3' }],
      named: [{ key: 'k1' }],
    });
    expect(await storage.read({ ...read, limitRows: 1, limitBytes: 10_000 })).toMatchObject({
      tooLarge: true,
    });
    expect(await storage.read({ ...read, limitRows: 2, limitBytes: 1_000 })).toMatchObject({
      tooLarge: true,
    });
    const named = { ...read, base: 3, keys: ['k1', 'k2'], limitRows: 2 };
    expect(await storage.read({ ...named, limitBytes: 1_500 })).toMatchObject({ tooLarge: true });
  });

  it('page through a generation, tombstones included, by rows and by bytes', async () => {
    const { storage } = await open();
    const keys = Array.from({ length: 25 }, (_, i) => `p${String(i).padStart(2, '0')}`);
    const rows = keys.map((key, i) =>
      rowOf(key, { revision: i + 1, value: i === 3 ? null : Buffer.alloc(400) }),
    );
    await storage.commit(transactionOf({ upserts: upsertsOf(52, rows, 6) }));
    for (const [limitRows, limitBytes] of [
      [10, 1_000_000],
      [1_000, 1_200],
      [1, 1],
    ] as const) {
      for (const [base, keysOnly] of [
        [0, false],
        [20, true],
      ] as const) {
        const seen: Row[] = [];
        let start: string | null = '';
        while (start !== null) {
          const page = (await storage.read({
            kind: 'page',
            id: 1,
            partition: 52,
            generation: 6,
            start,
            base,
            keysOnly,
            limitRows,
            limitBytes,
          })) as Extract<StorageReadResult, { kind: 'page' }>;
          expect(page.rows.length).toBeGreaterThan(0);
          seen.push(...page.rows);
          start = page.nextKey;
        }
        expect(seen.map(({ key }) => key)).toEqual(keys.slice(base));
        if (!keysOnly) expect(seen).toEqual(rows);
      }
    }
  });
});

/** Generations are numbered through all incarnations: beyond 32 bits some day. */
const BIG = 2 ** 40;

describe('generations', () => {
  it('are removed on demand, and at start where no record names them', async () => {
    let { storage } = await open();
    const rows = Array.from({ length: 1_200 }, (_, i) => rowOf(`g${i}`));
    for (const generation of [1, 2, 3, 4].map((g) => g * BIG)) {
      await storage.commit(transactionOf({ upserts: upsertsOf(60, rows, generation) }));
    }
    await storage.removeGeneration({ partition: 60, generation: BIG });
    const staging = {
      copyId: 1,
      generation: 3 * BIG,
      ballot: 1,
      base: 0,
      nextBase: 0,
      purgedTo: 0,
      dedupeFloor: 0,
      nextKey: '',
      pass: 1,
    };
    await storage.commit(transactionOf({ records: [recordOf(60, { generation: 2 * BIG, staging })] }));
    const present = async () =>
      Promise.all([1, 2, 3, 4].map(async (g) => (await readRows(storage, 60, ['g7'], g * BIG))[0] !== null));
    expect(await present()).toEqual([false, true, true, true]);
    ({ storage } = await reopen(storage));
    expect(await present()).toEqual([false, true, true, false]);
  });
});
