import { beforeEach, describe, expect, it } from '@jest/globals';
import type { coordinatorContracts, RequestOf } from '@ringleader/contracts';
import { plainRead } from '@ringleader/mvcc';
import { GroupOfOne } from '../../test/group-of-one.js';
import { StoreController } from './store.controller.js';

type TxnRequest = RequestOf<typeof coordinatorContracts.txn>;
const put = (key: string, value = ''): TxnRequest => ({
  compare: [],
  success: [{ kind: 'put', key, value }],
  failure: [],
});
const SPEAKER = { service: 'gateway', member: 'gateway-1' } as const;
const all = { key: '', rangeEnd: '' };

describe('the store’s services', () => {
  let group: GroupOfOne;
  let controller: StoreController;

  beforeEach(() => {
    group = new GroupOfOne();
    controller = new StoreController(group.store);
  });

  const txn = (request: TxnRequest): ReturnType<StoreController['txn']> => controller.txn(request, SPEAKER);

  describe('range', () => {
    it('asks a majority first, unless it need not be linearizable', async () => {
      await txn(put('a', '1'));
      group.hasQuorum = false;
      await expect(controller.range({ key: 'a' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(await controller.range({ key: 'a', serializable: true })).toMatchObject({
        items: [{ value: '1' }],
      });
    });

    it('bounds its answer, whatever was asked', async () => {
      const value = 'x'.repeat(131_072);
      for (const key of ['a', 'b', 'c', 'd', 'e']) await txn(put(key, value));
      const page = await controller.range({ ...all, limit: 100_000 });
      expect(page).toMatchObject({ count: 5, more: true });
      expect(page.items).toHaveLength(3);
    });

    it('tells a revision that is gone from one that is to come', async () => {
      await txn(put('a'));
      await txn(put('a'));
      await group.store.propose({ kind: 'compact', revision: 2 });
      await expect(controller.range({ ...all, revision: 1 })).rejects.toMatchObject({ code: 'COMPACTED' });
      await expect(controller.range({ ...all, revision: 3 })).rejects.toMatchObject({
        code: 'FUTURE_REVISION',
      });
      // This member may only be behind.
      await expect(controller.range({ ...all, revision: 3, serializable: true })).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      });
    });
  });

  describe('txn', () => {
    it('takes no place in the log when it can change nothing', async () => {
      await txn(put('a', '1'));
      const read: TxnRequest = { compare: [], success: [{ kind: 'range', key: 'a' }], failure: [] };
      expect(await txn(read)).toMatchObject({ results: [{ items: [{ value: '1' }] }] });
      expect([group.proposals, group.barriers]).toEqual([1, 1]);
    });

    it.each([
      ['unavailable', 'UNAVAILABLE'],
      ['outcomeUnknown', 'OUTCOME_UNKNOWN'],
    ] as const)('says what became of the write: %s', async (outcome, code) => {
      group.failures.push(outcome);
      await expect(txn(put('a'))).rejects.toMatchObject({ code });
    });

    it('says whether another member may have room where this one has none', async () => {
      for (const isMajorityFull of [false, true]) {
        group.isMajorityFull = isMajorityFull;
        group.failures.push('diskFull');
        const refusal = { code: 'DISK_FULL', details: { isMajorityFull } };
        await expect(txn(put('a'))).rejects.toMatchObject(refusal);
      }
    });

    it('refuses what it can see to be wrong before it is proposed', async () => {
      const twice = { ...put('a'), success: [...put('a').success, ...put('a').success] };
      await expect(txn(twice)).rejects.toMatchObject({ code: 'DUPLICATE_KEY' });
      const value = 'x'.repeat(131_072);
      const long = {
        ...put('a'),
        success: Array.from({ length: 9 }, (_, i) => put(`k${i}`, value).success).flat(),
      };
      await expect(txn(long)).rejects.toMatchObject({ code: 'REQUEST_TOO_LARGE' });
      expect(group.proposals).toBe(0);
    });

    it('refuses to delete more at once than all members can beside their heartbeats, and not in parts', async () => {
      const keys = 50_001;
      const name = (i: number): string => `k/${String(i).padStart(5, '0')}`;
      for (let from = 0; from < keys; from += 1_500) {
        const count = Math.min(1_500, keys - from);
        const success = Array.from({ length: count }, (_, i) => put(name(from + i)).success).flat();
        await txn({ compare: [], success, failure: [] });
      }
      const remove = (key: string, rangeEnd: string): TxnRequest['success'] => [
        { kind: 'delete', key, rangeEnd },
      ];
      const { proposals } = group;
      await expect(txn({ compare: [], success: remove('k/', 'k0'), failure: [] })).rejects.toMatchObject({
        code: 'REQUEST_TOO_LARGE',
        details: { keys, keysMax: 50_000 },
      });
      expect(group.proposals).toBe(proposals);
      for (const success of [remove('k/', name(25_000)), remove('k/', 'k0')]) {
        await txn({ compare: [], success, failure: [] });
      }
      expect(group.store.local.range({ ...plainRead, ...all, countOnly: true })).toMatchObject({ count: 0 });
    });

    it('says which lease does not exist', async () => {
      const request: TxnRequest = { ...put('a'), success: [{ kind: 'put', key: 'a', value: '', lease: 7 }] };
      await expect(txn(request)).rejects.toMatchObject({
        code: 'LEASE_NOT_FOUND',
        details: { lease: 7 },
      });
    });
  });

  it('refuses early when too much is in flight', async () => {
    const flood = Array.from({ length: 1_025 }, (_, i) => txn(put(`k${i}`)));
    const refused = (await Promise.allSettled(flood)).filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { code: 'OVERLOADED' } }]);
  });
});
