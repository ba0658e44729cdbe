/**
 * What every storage of a shard does, in tests that run on the twin in memory and on a real PostgreSQL: a core that was
 * tried on the one must not meet anything else on the other.
 */
import { describe, expect, it } from '@jest/globals';
import type {
  DeltaRead,
  GenerationRemoval,
  PageRead,
  PartitionRecord,
  Row,
  ScanRead,
  StorageRead,
  StorageReadResult,
  StorageTransaction,
} from '@ringleader/paxos';
import { PackedMarks } from '@ringleader/paxos';
import { seededPrng } from '@ringleader/primitives';

export interface StorageUnderTest {
  commit(transaction: StorageTransaction): Promise<void>;
  read(read: StorageRead): Promise<StorageReadResult>;
  removeGeneration(removal: GenerationRemoval): Promise<void>;
  /** Ends it, opens it again, and gives the records that it finds. */
  restart(): Promise<readonly PartitionRecord[]>;
}

type ResultOf<K extends StorageReadResult['kind']> = Extract<StorageReadResult, { readonly kind: K }>;

export function recordOf(partition: number, changes: Partial<PartitionRecord> = {}): PartitionRecord {
  return {
    partition,
    epoch: 1,
    promised: 65_537,
    position: { ballot: 65_537, revision: 1 },
    commitBound: 0,
    purgedTo: 0,
    dedupeFloor: 0,
    generation: 1,
    staging: null,
    ...changes,
  };
}

export function rowOf(key: string, changes: Partial<Row> = {}): Row {
  return {
    key,
    value: Buffer.from(`value of ${key}`),
    contentType: 'text/plain',
    revision: 1,
    version: 1,
    createdAt: 1_790_000_000_000 * 1024,
    modifiedAt: 1_790_000_000_000 * 1024 + 5,
    expiresAt: null,
    requestFloor: 0,
    ...changes,
    // As they are read.
    requests: PackedMarks.of(changes.requests ?? []),
  };
}

let lastTransactionId = 0;

export function transactionOf(parts: Partial<StorageTransaction>): StorageTransaction {
  return { id: ++lastTransactionId, records: [], upserts: [], removals: [], ...parts };
}

export function upsertsOf(partition: number, rows: readonly Row[], generation = 1) {
  return rows.map((row) => ({ partition, generation, row }));
}

export async function readRows(
  storage: Pick<StorageUnderTest, 'read'>,
  partition: number,
  keys: readonly string[],
  generation = 1,
): Promise<readonly (Row | null)[]> {
  const reads = keys.map((key) => ({ partition, generation, key, valueBytesMax: Number.POSITIVE_INFINITY }));
  const result = await storage.read({ kind: 'rows', id: 1, keys: reads });
  return (result as ResultOf<'rows'>).rows.map((stored) => stored?.row ?? null);
}

async function scan(storage: StorageUnderTest, read: Partial<ScanRead>): Promise<ResultOf<'scan'>> {
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
  return result as ResultOf<'scan'>;
}

async function delta(storage: StorageUnderTest, read: Partial<DeltaRead>): Promise<ResultOf<'delta'>> {
  const defaults = {
    id: 1,
    partition: 1,
    generation: 1,
    base: 0,
    keys: [],
    limitRows: 10,
    limitBytes: 10_000,
  };
  const result = await storage.read({ ...defaults, ...read, kind: 'delta' });
  return result as ResultOf<'delta'>;
}

async function page(storage: StorageUnderTest, read: Partial<PageRead>): Promise<ResultOf<'page'>> {
  const place = { id: 1, partition: 1, generation: 1, start: '', base: 0 };
  const limits = { keysOnly: false, limitRows: 10, limitBytes: 10_000 };
  const result = await storage.read({ ...place, ...limits, ...read, kind: 'page' });
  return result as ResultOf<'page'>;
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const keysOf = (rows: readonly (Row | null)[]): (string | null)[] => rows.map((row) => row?.key ?? null);
/** A value as a buffer, so that equal bytes are equal whatever holds them. */
const asBuffer = (row: Row | null): Row | null =>
  row === null ? null : { ...row, value: row.value === null ? null : Buffer.from(row.value) };

const ROWS_OF_EVERY_SHAPE: readonly Row[] = [
  rowOf('plain'),
  rowOf('tombstone', { value: null, version: 0, contentType: '' }),
  rowOf('empty value', { value: Buffer.alloc(0) }),
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

/** `open` gives a storage whose partitions from 100 on nobody else uses. */
export function describeShardStorage(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`${name}: transactions`, () => {
    it('store rows of every shape and give them back unchanged', async () => {
      const storage = await open();
      const rows = ROWS_OF_EVERY_SHAPE;
      await storage.commit(transactionOf({ records: [recordOf(103)], upserts: upsertsOf(103, rows) }));
      const read = await readRows(storage, 103, [...rows.map(({ key }) => key), 'absent']);
      expect(read.map(asBuffer)).toEqual([...rows, null]);
    });

    it('give back long values of many rows at once, and leave out what is longer than asked for', async () => {
      const storage = await open();
      const lengths = [0, 10, 11, 40_000, 300_000, 1_000_000, 700_000, 1_048_576, 900_000, 5];
      const rows = lengths.map((bytes, i) => rowOf(`${i}`, { value: Buffer.alloc(bytes, i + 1) }));
      await storage.commit(
        transactionOf({ upserts: upsertsOf(105, [...rows, rowOf('gone', { value: null })]) }),
      );
      // Transactions after it write into the same memory.
      await storage.commit(transactionOf({ upserts: upsertsOf(105, [rowOf('later')]) }));
      const keys = Array.from({ length: 13 }, () => [...rows.map(({ key }) => key), 'gone', 'absent']).flat();
      const found = await readRows(storage, 105, keys);
      for (let i = 0; i < keys.length; i += 12) {
        expect(found.slice(i, i + 12).map((row) => row?.value?.length)).toEqual([
          ...lengths,
          undefined,
          undefined,
        ]);
        rows.forEach(({ value }, at) => expect(Buffer.from(found[i + at]!.value!).equals(value!)).toBe(true));
      }
      const asked = keys
        .slice(0, 12)
        .map((key) => ({ partition: 105, generation: 1, key, valueBytesMax: 10 }));
      const result = (await storage.read({ kind: 'rows', id: 1, keys: asked })) as ResultOf<'rows'>;
      const left = lengths.map((bytes) => [bytes > 10, bytes > 10 ? 0 : bytes]);
      expect(result.rows.map((stored) => stored && [stored.isBare, stored.row.value?.length])).toEqual([
        ...left,
        [false, undefined],
        null,
      ]);
    });

    it('replace and remove rows; a row that is written and removed is gone', async () => {
      const storage = await open();
      await storage.commit(transactionOf({ upserts: upsertsOf(104, [rowOf('a'), rowOf('b'), rowOf('c')]) }));
      const upserts = [rowOf('a', { revision: 2, version: 2 }), rowOf('b', { revision: 3 }), rowOf('d')];
      const removals = ['b', 'c', 'd', 'never there'].map((key) => ({
        ...{ partition: 104, generation: 1, key, revision: null },
      }));
      await storage.commit(transactionOf({ upserts: upsertsOf(104, upserts), removals }));
      const [a, ...others] = await readRows(storage, 104, ['a', 'b', 'c', 'd']);
      expect(a).toMatchObject({ revision: 2, version: 2 });
      expect(others).toEqual([null, null, null]);
    });

    it('remove a row of a certain revision, and no other one', async () => {
      const storage = await open();
      const rows = ['a', 'b'].map((key) => rowOf(key, { value: null, revision: 5 }));
      await storage.commit(transactionOf({ upserts: upsertsOf(106, rows) }));
      await storage.commit(transactionOf({ upserts: upsertsOf(106, [rowOf('b', { revision: 6 })]) }));
      const removals = ['a', 'b', 'never there'].map((key) => ({
        ...{ partition: 106, generation: 1, key, revision: 5 },
      }));
      const upserts = upsertsOf(106, [rowOf('c', { revision: 7 })]);
      await storage.commit(transactionOf({ upserts, removals }));
      const [a, b, c] = await readRows(storage, 106, ['a', 'b', 'c']);
      expect([a, b?.revision, c?.revision]).toEqual([null, 6, 7]);
    });

    it('leave the last record of each partition', async () => {
      const storage = await open();
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
        recordOf(110, { promised: 2 ** 50 + 1, commitBound: 1, staging }),
        recordOf(111, { epoch: 5, dedupeFloor: 2 ** 52, staging: { ...staging, nextKey: null } }),
      ];
      await storage.commit(transactionOf({ records: [recordOf(110), recordOf(111)] }));
      for (const record of last) await storage.commit(transactionOf({ records: [record] }));
      const found = (await storage.restart()).filter(({ partition }) => [110, 111].includes(partition));
      expect(found.sort((a, b) => a.partition - b.partition)).toEqual(last);
    });
  });

  describe(`${name}: tombstones`, () => {
    it('are found among so many rows at a time, up to the end of the generation', async () => {
      const storage = await open();
      const marks = [{ id: 'x', origin: 2 ** 50, revision: 3, version: 0 }];
      const rows = Array.from({ length: 23 }, (_, i) => {
        const value = i % 5 === 2 ? null : Buffer.alloc(10);
        return rowOf(`t/${String(i + 10)}`, { value, revision: i + 1, requests: marks, requestFloor: i });
      });
      const neighbours = [
        ...upsertsOf(107, [rowOf('t/99', { value: null })], 2),
        ...upsertsOf(108, [rowOf('a', { value: null })]),
      ];
      await storage.commit(transactionOf({ upserts: [...upsertsOf(107, rows), ...neighbours] }));
      for (const limitRows of [1, 6, 22, 23, 100]) {
        const found: Row[] = [];
        let looks = 0;
        for (let start: string | null = ''; start !== null; looks += 1) {
          const read = {
            kind: 'tombstones',
            id: 5,
            partition: 107,
            generation: 1,
            start,
            limitRows,
          } as const;
          const result = (await storage.read(read)) as ResultOf<'tombstones'>;
          found.push(...result.rows);
          start = result.nextKey;
        }
        expect(found).toEqual(rows.filter(({ value }) => value === null));
        expect(looks).toBe(Math.ceil(rows.length / limitRows));
      }
    });
  });

  describe(`${name}: scans`, () => {
    it('merge partitions in byte order, forward and in reverse, by any limit', async () => {
      const storage = await open();
      const prng = seededPrng(11);
      const keys = Array.from({ length: 500 }, (_, i) => {
        const first = String.fromCodePoint(
          ...[32 + prng.nextBelow(900), 0xff00, 0x1f600].slice(prng.nextBelow(3)),
        );
        return `scan/${first}/${i}`;
      });
      const upserts = keys.map((key, i) => ({
        partition: 140 + prng.nextBelow(5),
        generation: 1,
        row: rowOf(key, i % 10 === 0 ? { value: null } : {}),
      }));
      await storage.commit(transactionOf({ upserts }));
      const live = keys.filter((_, i) => i % 10 !== 0).sort(byBytes);
      const partitions = [140, 141, 142, 143, 144].map((partition) => ({ partition, generation: 1 }));
      for (const reverse of [false, true]) {
        const expected = reverse ? [...live].reverse() : live;
        for (const limitRows of [1, 7, 100, live.length, live.length + 1]) {
          const result = await scan(storage, { partitions, reverse, limitRows });
          expect(keysOf(result.rows.map(({ row }) => row))).toEqual(expected.slice(0, limitRows));
          expect(result.more).toBe(limitRows < live.length);
        }
      }
      const range = { start: live[100] ?? '', end: live[110] ?? '' };
      const middle = await scan(storage, { partitions, range });
      expect(keysOf(middle.rows.map(({ row }) => row))).toEqual(live.slice(100, 110));
      expect(middle.more).toBe(false);
      const reversed = await scan(storage, {
        partitions,
        reverse: true,
        keysOnly: true,
        limitRows: 5,
        range,
      });
      expect(keysOf(reversed.rows.map(({ row }) => row))).toEqual(live.slice(105, 110).reverse());
      expect(reversed.rows.map(({ row }) => row.value?.length)).toEqual([0, 0, 0, 0, 0]);
      expect(reversed.more).toBe(true);
    });

    it.each([
      [15_000, 2],
      // A row that begins at the limit is outside.
      [10_001 + 128, 1],
      [10_001 + 129, 2],
      [1, 1],
    ])('stop at %i bytes, after one row at least', async (limitBytes, count) => {
      const storage = await open();
      const rows = ['1', '2', '3', '4'].map((key) => rowOf(key, { value: Buffer.alloc(10_000) }));
      await storage.commit(transactionOf({ upserts: upsertsOf(146, rows) }));
      const partitions = [{ partition: 146, generation: 1 }];
      const found = await scan(storage, { partitions, limitBytes });
      expect(found.rows).toHaveLength(count);
      expect(found.more).toBe(true);
      // Values that are not given back do not count.
      const keys = await scan(storage, { partitions, limitBytes: 4 * 129, keysOnly: true });
      expect(keys.rows).toHaveLength(4);
    });
  });

  describe(`${name}: deltas and pages`, () => {
    it('read the state after the transaction handed over before, not after the next', async () => {
      const storage = await open();
      const first = storage.commit(transactionOf({ upserts: upsertsOf(150, [rowOf('x', { revision: 1 })]) }));
      const reading = delta(storage, { partition: 150, keys: ['x', 'y'] });
      const upserts = upsertsOf(150, [rowOf('x', { revision: 2 }), rowOf('y', { revision: 3 })]);
      await Promise.all([first, storage.commit(transactionOf({ upserts }))]);
      const { rows, named } = await reading;
      expect(rows.map(({ key, revision }) => [key, revision])).toEqual([['x', 1]]);
      expect(named.map((row) => row?.revision ?? null)).toEqual([1, null]);
    });

    it('give the rows past a base in the order of their keys, tombstones too', async () => {
      const storage = await open();
      const rows = [
        rowOf('c', { revision: 2 }),
        rowOf('a', { revision: 4, value: null }),
        rowOf('b', { revision: 3 }),
      ];
      await storage.commit(transactionOf({ upserts: upsertsOf(153, [rowOf('z'), ...rows]) }));
      const found = await delta(storage, { partition: 153, base: 1, keys: ['z', 'none', 'a'] });
      expect(found.tooLarge).toBe(false);
      expect(found.rows.map(({ key, value }) => [key, value === null])).toEqual([
        ['a', true],
        ['b', false],
        ['c', false],
      ]);
      expect(keysOf(found.named)).toEqual(['z', null, 'a']);
    });

    it('say when a delta is too large, by rows and by bytes, and then give none', async () => {
      const storage = await open();
      const rows = [1, 2, 3].map((revision) =>
        rowOf(`k${revision}`, { revision, value: Buffer.alloc(1_000) }),
      );
      await storage.commit(transactionOf({ upserts: upsertsOf(151, rows) }));
      const read = { partition: 151, base: 1, keys: ['k1'] };
      const fits = await delta(storage, { ...read, limitRows: 2 });
      expect(fits.tooLarge).toBe(false);
      expect(keysOf(fits.rows)).toEqual(['k2', 'k3']);
      const nothing = { tooLarge: true, rows: [], named: [] };
      expect(await delta(storage, { ...read, limitRows: 1 })).toMatchObject(nothing);
      expect(await delta(storage, { ...read, limitRows: 2, limitBytes: 1_000 })).toMatchObject(nothing);
      const named = { ...read, base: 3, keys: ['k1', 'k2'] };
      expect(await delta(storage, { ...named, limitBytes: 1_999 })).toMatchObject(nothing);
      expect(await delta(storage, { ...named, limitBytes: 2_000 })).toMatchObject({ tooLarge: false });
    });

    const keys = Array.from({ length: 25 }, (_, i) => `p${String(i).padStart(2, '0')}`);
    const rows = keys.map((key, i) =>
      rowOf(key, { revision: i + 1, value: i === 3 ? null : Buffer.alloc(400) }),
    );

    it.each([
      [10, 1_000_000, 0, false],
      [1_000, 1_200, 0, false],
      [1, 1, 0, false],
      [1_000, 1_200, 20, true],
      [10, 1_000_000, 0, true],
    ])(
      'page through a generation by %i rows and %i bytes, past %i, keysOnly %s',
      async (limitRows, limitBytes, base, keysOnly) => {
        const storage = await open();
        await storage.commit(transactionOf({ upserts: upsertsOf(152, rows, 6) }));
        const seen: Row[] = [];
        let start: string | null = '';
        while (start !== null) {
          const read = { partition: 152, generation: 6, start, base, keysOnly, limitRows, limitBytes };
          const found: ResultOf<'page'> = await page(storage, read);
          expect(found.rows.length).toBeGreaterThan(0);
          seen.push(...found.rows);
          start = found.nextKey;
        }
        const shown = rows.slice(base).map((row) => ({
          ...row,
          value: keysOnly && row.value !== null ? Buffer.alloc(0) : row.value,
        }));
        expect(seen.map(asBuffer)).toEqual(shown);
      },
    );
  });

  describe(`${name}: generations`, () => {
    /** They are numbered through all incarnations: beyond 32 bits some day. */
    const BIG = 2 ** 40;

    it('are removed on demand, and at start where no record names them', async () => {
      const storage = await open();
      const many = Array.from({ length: 1_200 }, (_, i) => rowOf(`g${i}`));
      for (const generation of [1, 2, 3, 4].map((g) => g * BIG)) {
        await storage.commit(transactionOf({ upserts: upsertsOf(160, many, generation) }));
      }
      await storage.removeGeneration({ partition: 160, generation: BIG });
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
      await storage.commit(transactionOf({ records: [recordOf(160, { generation: 2 * BIG, staging })] }));
      const present = (): Promise<boolean[]> =>
        Promise.all(
          [1, 2, 3, 4].map(async (g) => (await readRows(storage, 160, ['g7'], g * BIG))[0] !== null),
        );
      expect(await present()).toEqual([false, true, true, true]);
      await storage.restart();
      expect(await present()).toEqual([false, true, true, false]);
    });
  });
}
