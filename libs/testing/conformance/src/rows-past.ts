/**
 * Reads of the rows past a base where there are many before it: what they find is what a pass over all rows at once would,
 * whatever the storage's own steps are, and transactions go on meanwhile.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DeltaRead, PageRead, Row, StorageReadResult } from '@ringleader/paxos';
import { seededPrng } from '@ringleader/primitives';
import { rowOf, type StorageUnderTest, transactionOf, upsertsOf } from './shard-storage.js';

type ResultOf<K extends StorageReadResult['kind']> = Extract<StorageReadResult, { readonly kind: K }>;

const PARTITION = 190;
const ROWS = 3_000;
const BYTES_ALL = 1_000_000_000;

/** `open` gives a storage whose partition 190 nobody else uses. */
export function describeRowsPast(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`${name}: rows past a base, among many`, () => {
    const prng = seededPrng(5);
    const rows = Array.from({ length: ROWS }, (_, i) =>
      rowOf(`past/${String(i).padStart(4, '0')}`, {
        // Some parts of the key space have many of the new ones, others none.
        revision: Math.floor(i / 300) % 2 === 0 && prng.nextBelow(4) === 0 ? 100 + i : 1,
        value: i % 7 === 0 ? null : Buffer.alloc(prng.nextBelow(300)),
      }),
    );
    let storage: StorageUnderTest;

    beforeEach(async () => {
      storage = await open();
      await storage.commit(transactionOf({ upserts: upsertsOf(PARTITION, rows) }));
    });

    const past = (base: number): Row[] => rows.filter(({ revision }) => revision > base);
    const keysOf = (found: readonly Row[]): string[] => found.map(({ key }) => key);

    async function delta(read: Partial<DeltaRead>): Promise<ResultOf<'delta'>> {
      const all = { generation: 1, base: 1, keys: [], limitRows: ROWS, limitBytes: BYTES_ALL };
      const result = await storage.read({ id: 1, partition: PARTITION, ...all, ...read, kind: 'delta' });
      return result as ResultOf<'delta'>;
    }

    async function page(read: Partial<PageRead>): Promise<ResultOf<'page'>> {
      const all = { generation: 1, start: '', base: 1, keysOnly: false, limitRows: ROWS };
      const limits = { limitBytes: BYTES_ALL, ...read };
      const result = await storage.read({ id: 1, partition: PARTITION, ...all, ...limits, kind: 'page' });
      return result as ResultOf<'page'>;
    }

    it('are all of them in a delta, or it is too large', async () => {
      const found = await delta({ keys: [rows[1]!.key, 'none'] });
      expect(keysOf(found.rows)).toEqual(keysOf(past(1)));
      expect(found.named.map((row) => row?.key ?? null)).toEqual([rows[1]!.key, null]);
      const count = past(1).length;
      expect(await delta({ limitRows: count })).toMatchObject({ tooLarge: false });
      expect(await delta({ limitRows: count - 1 })).toMatchObject({ tooLarge: true, rows: [] });
      expect(await delta({ limitBytes: 30_000 })).toMatchObject({ tooLarge: true, rows: [] });
      expect(await delta({ base: 100 + ROWS })).toMatchObject({ tooLarge: false, rows: [] });
    });

    it.each([
      [ROWS, BYTES_ALL, false],
      [1, BYTES_ALL, false],
      [50, BYTES_ALL, true],
      [ROWS, 5_000, false],
      [ROWS, 5_000, true],
      [ROWS, 1, false],
    ])(
      'are all of them in pages of %i rows and %i bytes, keysOnly %s',
      async (limitRows, limitBytes, keysOnly) => {
        const expected = past(1);
        const seen: Row[] = [];
        let start: string | null = '';
        while (start !== null) {
          const found: ResultOf<'page'> = await page({ start, keysOnly, limitRows, limitBytes });
          expect(found.rows.length).toBeGreaterThan(0);
          seen.push(...found.rows);
          start = found.nextKey;
          expect(start).toBe(expected[seen.length]?.key ?? null);
        }
        expect(keysOf(seen)).toEqual(keysOf(expected));
        const bytes = (found: readonly Row[]): (number | null)[] =>
          found.map(({ value }) => (value === null ? null : keysOnly ? 0 : value.length));
        expect(seen.map(({ value }) => value?.length ?? null)).toEqual(bytes(expected));
      },
    );

    it('are of the state before the transactions that go on meanwhile', async () => {
      const reading = delta({ keys: ['past/new'] });
      const late = [rowOf('past/new', { revision: 9_000 }), { ...rows[2]!, revision: 9_001 }];
      await storage.commit(transactionOf({ upserts: upsertsOf(PARTITION, late) }));
      const found = await reading;
      expect(keysOf(found.rows)).toEqual(keysOf(past(1)));
      expect(found.rows.every(({ revision }) => revision < 9_000)).toBe(true);
      expect(found.named).toEqual([null]);
    });
  });
}
