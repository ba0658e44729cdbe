/** What every storage of a shard says of rows that are compared (docs/PROTOCOL.md 4.13), as `shard-storage.ts`. */
import { describe, expect, it } from '@jest/globals';
import type { DigestRead, Row, RowDigest, StorageReadResult } from '@ringleader/paxos';
import { recordOf, rowOf, transactionOf, upsertsOf, type StorageUnderTest } from './shard-storage.js';

type Digests = Extract<StorageReadResult, { readonly kind: 'digests' }>;

async function digestsOf(
  storage: StorageUnderTest,
  partition: number,
  read: Partial<DigestRead> = {},
): Promise<Digests> {
  const range = { id: 9, partition, generation: 1, start: '', end: null, wantsRows: false };
  const limits = { limitRows: 100, limitBytes: 10_000_000 };
  const result = await storage.read({ ...range, ...limits, ...read, kind: 'digests' });
  return result as Digests;
}

const MARK = { id: 'r', origin: 5, revision: 1, version: 1 };
const ROW = rowOf('k', { revision: 7, version: 2, expiresAt: 9, requests: [MARK], requestFloor: 3 });
const CHANGES: readonly Partial<Row>[] = [
  { value: Buffer.from('another') },
  { value: Buffer.alloc(0) },
  { value: null },
  { contentType: 'text/other' },
  { revision: 8 },
  { version: 3 },
  { createdAt: ROW.createdAt + 1 },
  { modifiedAt: ROW.modifiedAt + 1 },
  { expiresAt: null },
  { expiresAt: 10 },
  { requests: [] },
  { requests: [{ ...MARK, origin: 6 }] },
  { requestFloor: 4 },
];

/** `open` gives a storage whose partitions from 170 to 189 nobody else uses. */
export function describeRowDigests(name: string, open: () => Promise<StorageUnderTest>): void {
  describe(`${name}: digests of rows`, () => {
    it('are equal for equal rows, and differ with any field', async () => {
      const storage = await open();
      const rows = [ROW, ...CHANGES.map((change) => ({ ...ROW, ...change }))];
      // A generation each, of one partition; the first one again in another partition.
      const upserts = rows.flatMap((row, index) => upsertsOf(170, [row], index + 1));
      await storage.commit(transactionOf({ records: [recordOf(170)], upserts }));
      await storage.commit(transactionOf({ upserts: upsertsOf(171, [{ ...ROW }]) }));
      const found = await Promise.all(
        rows.map(async (_, index) => (await digestsOf(storage, 170, { generation: index + 1 })).digests[0]!),
      );
      expect(new Set(found.map(({ digest }) => digest)).size).toBe(rows.length);
      for (const { digest } of found) expect(digest).toMatch(/^[0-9a-f]{32}$/);
      expect((await digestsOf(storage, 171)).digests).toEqual([found[0]]);
      expect(found.map(({ live }) => live)).toEqual(rows.map(({ value }) => value !== null));
      expect(found.map(({ revision }) => revision)).toEqual(rows.map(({ revision }) => revision));
    });

    it('come in the order of the keys, of a range, and within limits, with the next key', async () => {
      const storage = await open();
      const value = Buffer.alloc(1_000);
      const rows = ['é', 'a', 'b', 'c', '\u{1f600}', 'z'].map((key) => rowOf(key, { value }));
      await storage.commit(transactionOf({ upserts: upsertsOf(172, rows) }));
      const keysOf = ({ digests }: Digests): string[] => digests.map(({ key }: RowDigest) => key);
      const all = await digestsOf(storage, 172);
      expect([keysOf(all), all.nextKey]).toEqual([['a', 'b', 'c', 'z', 'é', '\u{1f600}'], null]);
      const range = await digestsOf(storage, 172, { start: 'b', end: 'é' });
      expect([keysOf(range), range.nextKey]).toEqual([['b', 'c', 'z'], null]);
      expect(range.bytes).toBe(3 * (1 + 1_000 + 128));
      const first = await digestsOf(storage, 172, { limitRows: 2 });
      expect([keysOf(first), first.nextKey]).toEqual([['a', 'b'], 'c']);
      const bytes = await digestsOf(storage, 172, { start: 'b', limitBytes: 1_500 });
      expect([keysOf(bytes), bytes.nextKey]).toEqual([['b', 'c'], 'z']);
      const one = await digestsOf(storage, 172, { start: 'b', end: 'b\0', limitRows: 1 });
      expect([keysOf(one), one.nextKey]).toEqual([['b'], null]);
    });

    it('come with their rows where these are wanted', async () => {
      const storage = await open();
      await storage.commit(transactionOf({ upserts: upsertsOf(173, [ROW, rowOf('l')]) }));
      const found = await digestsOf(storage, 173, { start: 'k', end: 'k\0', wantsRows: true, limitRows: 1 });
      expect(found.digests).toHaveLength(1);
      const [row] = found.rows;
      expect({ ...row, value: Buffer.from(row!.value!) }).toEqual({ ...ROW, value: Buffer.from(ROW.value!) });
      expect((await digestsOf(storage, 173, { start: 'm', wantsRows: true })).rows).toEqual([]);
      expect((await digestsOf(storage, 173)).rows).toEqual([]);
    });

    it('are of the state after the transaction handed over before, not after the next', async () => {
      const storage = await open();
      const first = storage.commit(transactionOf({ upserts: upsertsOf(174, [rowOf('x', { revision: 1 })]) }));
      const reading = digestsOf(storage, 174, { wantsRows: true });
      const upserts = upsertsOf(174, [rowOf('x', { revision: 2 })]);
      await Promise.all([first, storage.commit(transactionOf({ upserts }))]);
      const { digests, rows } = await reading;
      expect(digests.map(({ revision }) => revision)).toEqual([1]);
      expect(rows.map(({ revision }) => revision)).toEqual([1]);
    });
  });
}
