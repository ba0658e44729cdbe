/**
 * What etcd's integration tests ask of its services (tests/integration/v3_grpc_test.go, v3_lease_test.go, v3_alarm_test.go,
 * clientv3/kv_test.go), asked of ours by their contracts in our words. libs/core/mvcc/README.md says what each showed.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { COORDINATOR_TXN_DEPTH_MAX, COORDINATOR_TXN_OPERATIONS_MAX, memberKey } from '@ringleader/contracts';
import type { StoreCompare, StoreOperation, coordinatorContracts, RequestOf } from '@ringleader/contracts';
import { NESTING_DEPTH_MAX } from '@ringleader/mvcc';
import { ContractStore } from './contract-store.js';

type Put = Extract<StoreOperation, { kind: 'put' }>;
type RangeRequest = RequestOf<typeof coordinatorContracts.range>;

const all = { key: '', rangeEnd: '' };
const letters = { key: 'a', rangeEnd: 'z' };
const put = (key: string, value = '', options: Partial<Put> = {}): Put => ({
  ...{ kind: 'put', key, value, ...options },
});
const remove = (key: string, rangeEnd?: string): StoreOperation => ({ kind: 'delete', key, rangeEnd });
const nested = (
  success: StoreOperation[],
  failure: StoreOperation[] = [],
  compare: StoreCompare[] = [],
): StoreOperation => ({ kind: 'txn', compare, success, failure });
const versionOf = (key: string, operand: number): StoreCompare => ({
  ...{ key, target: 'version', result: 'equal', operand },
});

describe('of etcd’s cases, by contract', () => {
  let store: ContractStore;
  beforeEach(() => {
    store = new ContractStore();
  });
  afterEach(() => store.stop());

  const txn = (
    success: StoreOperation[],
    failure: StoreOperation[] = [],
    compare: StoreCompare[] = [],
  ): ReturnType<ContractStore['ask']> => store.ask('txn', { compare, success, failure });
  const fill = async (...keys: string[]): Promise<void> => {
    for (const key of keys) expect(await txn([put(key, 'bar')])).toMatchObject({ succeeded: true });
  };
  const keysOf = async (request: RangeRequest): Promise<unknown> => {
    const answer = await store.ask('range', request);
    if (typeof answer === 'string') return answer;
    return [answer.items.map(({ key }) => key).join(), answer.count, answer.more];
  };

  describe('ranges', () => {
    it.each<[string, string, RangeRequest, [string, number, boolean]]>([
      ['a key', 'foo,bar', { key: 'foo' }, ['foo', 1, false]],
      ['a key that is not there', 'foo,bar', { key: 'baz' }, ['', 0, false]],
      ['all of a range', 'a,b,c,d,e', letters, ['a,b,c,d,e', 5, false]],
      ['a part', 'a,b,c,d,e', { key: 'b', rangeEnd: 'd' }, ['b,c', 2, false]],
      ['[c, c)', 'a,b,c', { key: 'c', rangeEnd: 'c' }, ['', 0, false]],
      ['[d, b)', 'a,b,c,d', { key: 'd', rangeEnd: 'b' }, ['', 0, false]],
      ['to the end', 'a,b,c', { key: 'b', rangeEnd: '' }, ['b,c', 2, false]],
      ['revision 0', 'a,b,c', { ...letters, revision: 0 }, ['a,b,c', 3, false]],
      ['revision 1', 'a,b,c', { ...letters, revision: 1 }, ['a', 1, false]],
      ['revision 2', 'a,b,c', { ...letters, revision: 2 }, ['a,b', 2, false]],
      ['limit 1', 'a,b,c', { ...letters, limit: 1 }, ['a', 3, true]],
      ['limit 3', 'a,b,c', { ...letters, limit: 3 }, ['a,b,c', 3, false]],
      ['limit 4', 'a,b,c', { ...letters, limit: 4 }, ['a,b,c', 3, false]],
      ['the least', 'b,a,c,d,c', { ...letters, limit: 1, sortBy: 'key' }, ['a', 4, true]],
      ['the greatest', 'b,a,c,d,c', { ...letters, limit: 1, order: 'descending' }, ['d', 4, true]],
      ['the first created', 'b,a,c,d,c', { ...letters, limit: 1, sortBy: 'createRevision' }, ['b', 4, true]],
      [
        'the last changed',
        'b,a,c,d,c',
        { ...letters, limit: 1, sortBy: 'modRevision', order: 'descending' },
        ['c', 4, true],
      ],
      [
        'by version',
        'b,a,c,d,c',
        { ...letters, sortBy: 'version', order: 'descending' },
        ['c,a,b,d', 4, false],
      ],
      ['ascending as meant', 'b,a,c,d,c', { ...letters, sortBy: 'createRevision' }, ['b,a,c,d', 4, false]],
      ['a lower bound of changes', 'a,b,c,d', { ...all, minModRevision: 2 }, ['b,c,d', 4, false]],
      ['an upper bound of changes', 'a,b,c,d', { ...all, maxModRevision: 2 }, ['a,b', 4, false]],
      ['both', 'a,b,c,d', { ...all, minModRevision: 2, maxModRevision: 3 }, ['b,c', 4, false]],
      ['a bound beyond all', 'a,b', { ...all, maxModRevision: 10 }, ['a,b', 2, false]],
      [
        'bounds of creation',
        'a,b,a,a,c,b',
        { ...all, minCreateRevision: 2, maxCreateRevision: 4 },
        ['b', 3, false],
      ],
      ['a bound, and a limit', 'a,b,c,d', { ...all, minModRevision: 2, limit: 2 }, ['b,c', 4, true]],
      ['a count', 'a,b,c', { ...all, countOnly: true }, ['', 3, false]],
    ])('%s of %s', async (_, filled, request, expected) => {
      await fill(...filled.split(','));
      expect(await keysOf(request)).toEqual(expected);
      expect(
        await store.ask('txn', { compare: [], success: [{ kind: 'range', ...request }], failure: [] }),
      ).toMatchObject({
        results: [{ count: expected[1], more: expected[2] }],
      });
    });

    it('of keys only have no values, of whatever form', async () => {
      await fill('a');
      expect(await store.ask('range', { ...all, keysOnly: true })).toMatchObject({
        items: [{ value: '', version: 1 }],
      });
    });

    it('are told from no key at all', async () => {
      expect(await keysOf({ key: '' })).toBe('INVALID_ARGUMENT');
      expect(await txn([remove('')])).toBe('INVALID_ARGUMENT');
      expect(await txn([put('')])).toBe('INVALID_ARGUMENT');
      expect(await txn([], [], [versionOf('', 0)])).toBe('INVALID_ARGUMENT');
    });
  });

  describe('values', () => {
    const bytes = Buffer.from([0xff, 0x00, 0x80]).toString('base64');

    it('are bytes, and text where they can be', async () => {
      const puts = [
        put('text', 'é'),
        put('bytes', '', { value: undefined, valueBase64: bytes }),
        put('none'),
      ];
      await txn(puts);
      expect(await store.ask('range', all)).toMatchObject({
        items: [{ value: '', valueBase64: bytes }, { value: '' }, { value: 'é' }],
      });
      const asked = { ...all, values: 'base64' } as const;
      expect(await store.ask('range', asked)).toMatchObject({
        items: [
          { value: '', valueBase64: bytes },
          { value: '', valueBase64: '' },
          { value: '', valueBase64: 'w6k=' },
        ],
      });
      expect(
        await store.ask('txn', {
          ...{ compare: [], failure: [], values: 'base64' },
          success: [
            put('text', '2', { wantsPrevious: true }),
            { kind: 'delete', key: 'none', wantsPrevious: true },
          ],
        }),
      ).toMatchObject({
        results: [{ previous: { valueBase64: 'w6k=' } }, { previous: [{ valueBase64: '' }] }],
      });
    });

    it.each<[string, Partial<Put>]>([
      ['none', { value: undefined }],
      ['two', { valueBase64: bytes }],
      ['one that is no base64', { value: undefined, valueBase64: 'é' }],
      ['one beside the one that is kept', { keepValue: true }],
      ['a lease beside the one that is kept', { lease: 1, keepLease: true }],
    ])('are given once, not as %s', async (_, options) => {
      await fill('a');
      expect(await txn([put('a', 'x', options)])).toBe('INVALID_ARGUMENT');
    });

    it('are compared as bytes', async () => {
      await txn([put('a', '', { value: undefined, valueBase64: bytes })]);
      const compare = { key: 'a', target: 'value' } as const;
      const isSo = async (result: StoreCompare['result'], operand: object): Promise<unknown> =>
        txn([], [], [{ ...compare, result, ...operand }]);
      expect(await isSo('equal', { operandBase64: bytes })).toMatchObject({ succeeded: true });
      expect(await isSo('greater', { operand: 'zzz' })).toMatchObject({ succeeded: true });
      expect(await isSo('equal', {})).toBe('INVALID_ARGUMENT');
      expect(await isSo('equal', { operand: '', operandBase64: '' })).toBe('INVALID_ARGUMENT');
    });
  });

  describe('puts', () => {
    it('give the previous value where it is wanted, and the next revision', async () => {
      expect(await txn([put('foo', 'bar', { wantsPrevious: true })])).toEqual({
        ...{ revision: 1, succeeded: true },
        results: [{ kind: 'put' }],
      });
      expect(await txn([put('foo', 'baz', { wantsPrevious: true })])).toMatchObject({
        ...{ revision: 2 },
        results: [{ previous: { key: 'foo', value: 'bar', modRevision: 1 } }],
      });
      expect(await txn([put('foo', 'baz')])).toMatchObject({ results: [{ kind: 'put' }] });
    });

    it('keep the value: of a key that is there, with the lease that they say', async () => {
      await store.ask('leaseGrant', { ttlMs: 30_000, leaseId: 5 });
      const keep = (options: Partial<Put>): Put =>
        put('foo', '', { value: undefined, keepValue: true, ...options });
      expect(await txn([keep({})])).toBe('KEY_NOT_FOUND');
      await fill('foo');
      await txn([keep({ lease: 5 })]);
      expect(await store.ask('range', { key: 'foo' })).toMatchObject({ items: [{ value: 'bar', lease: 5 }] });
      await txn([keep({})]);
      expect(await store.ask('range', { key: 'foo' })).toMatchObject({ items: [{ value: 'bar', lease: 0 }] });
      await store.ask('leaseRevoke', { leaseId: 5 });
      expect(await keysOf(all)).toEqual(['foo', 1, false]);
    });

    it('keep the lease: of a key that is there, with the value that they say', async () => {
      await store.ask('leaseGrant', { ttlMs: 30_000, leaseId: 5 });
      expect(await txn([put('zoo', 'bar', { keepLease: true })])).toBe('KEY_NOT_FOUND');
      await txn([put('zoo', 'bar', { lease: 5 })]);
      await txn([put('zoo', 'bar1', { keepLease: true })]);
      expect(await store.ask('range', { key: 'zoo' })).toMatchObject({
        items: [{ value: 'bar1', lease: 5 }],
      });
      await txn([put('zoo', 'bar')]);
      expect(await store.ask('range', { key: 'zoo' })).toMatchObject({ items: [{ lease: 0 }] });
    });

    it('want a lease that is there, in the branch that is taken', async () => {
      const bogus = put('foo', '', { lease: 123_456 });
      const never: StoreCompare = { key: 'bar', target: 'createRevision', result: 'greater', operand: 0 };
      expect(await txn([bogus])).toBe('LEASE_NOT_FOUND');
      expect(await txn([], [bogus], [never])).toBe('LEASE_NOT_FOUND');
      expect(await txn([{ kind: 'range', key: 'bar' }], [bogus])).toMatchObject({ succeeded: true });
      expect(await keysOf(all)).toEqual(['', 0, false]);
    });
  });

  describe('deletions', () => {
    it.each<[string, string, StoreOperation, string]>([
      ['the middle', 'foo,foo/abc,fop', remove('foo/', 'fop'), 'foo,fop'],
      ['nothing', 'foo,foo/abc,fop', remove('foo/', 'foo/'), 'foo,foo/abc,fop'],
      ['the first', 'foo,foo/abc,fop', remove('fo', 'fop'), 'fop'],
      ['the tail', 'foo,foo/abc,fop', remove('foo/', 'fos'), 'foo'],
      ['one', 'foo,foo/abc,fop', remove('foo/abc'), 'foo,fop'],
      ['[x, x)', 'foo', remove('foo', 'foo'), 'foo'],
    ])('of %s in %s', async (_, filled, operation, left) => {
      const keys = filled.split(',');
      await fill(...keys);
      const deleted = keys.length - left.split(',').length;
      const previous = keys
        .filter((key) => !left.split(',').includes(key))
        .map((key) => ({ key, value: 'bar' }));
      expect(await txn([{ ...operation, wantsPrevious: true } as StoreOperation])).toMatchObject({
        revision: keys.length + (deleted > 0 ? 1 : 0),
        results: [{ kind: 'delete', deleted, previous }],
      });
      expect(await keysOf(all)).toEqual([left, left.split(',').length, false]);
    });

    it('give no more than one message takes, however short all of it is', async () => {
      const keys = Array.from({ length: 12_000 }, (_, i) => `k${i.toString(36)}`);
      for (let i = 0; i < keys.length; i += 1_000) await txn(keys.slice(i, i + 1_000).map((key) => put(key)));
      const [reads, gone] = [
        await txn(Array.from({ length: 100 }, () => ({ kind: 'range', ...all }))),
        await txn([{ kind: 'delete', ...letters, wantsPrevious: true }]),
      ];
      for (const answer of [reads, gone]) expect(JSON.stringify(answer).length).toBeLessThan(2 ** 20);
      expect(gone).toMatchObject({ results: [{ deleted: keys.length, more: true }] });
    });

    it('give no more previous values than an answer has room for, and say so', async () => {
      const value = 'x'.repeat(100_000);
      for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) await txn([put(key, value)]);
      const success: StoreOperation[] = [
        put('g', '', { wantsPrevious: true }),
        { kind: 'delete', ...letters, rangeEnd: 'g', wantsPrevious: true },
        { kind: 'range', ...all },
      ];
      const answer = await txn(success);
      expect(answer).toMatchObject({
        results: [
          { kind: 'put', previous: { key: 'g' } },
          { kind: 'delete', deleted: 6, more: true, previous: [{ key: 'a' }, {}, {}, { key: 'd' }] },
          { kind: 'range', count: 1, more: false, items: [{ key: 'g', value: '' }] },
        ],
      });
      await txn([
        put('a', value),
        put('b', value),
        put('c', value),
        put('d', value),
        put('e', value),
        put('f', 'f'),
      ]);
      const reads: StoreOperation[] = [
        { kind: 'range', ...all },
        { kind: 'range', ...all },
        put('b', '', { wantsPrevious: true }),
      ];
      expect(await txn(reads)).toMatchObject({
        results: [
          { count: 7, more: false },
          { count: 7, more: true },
          { kind: 'put', more: true },
        ],
      });
    });
  });

  describe('transactions', () => {
    const abc = put('abc', 'def');
    const [exact, within, without] = [remove('abc'), remove('a', 'b'), remove('abb', 'abc')];
    it.each<[string, StoreOperation[], boolean]>([
      ['a put, twice', [abc, abc], false],
      ['a put and its deletion', [abc, exact], false],
      ['a put and the deletion of a range', [abc, within], false],
      ['Put(a), Then(Del(a))', [abc, nested([within])], false],
      ['Del(a), Then(Put(a))', [within, nested([abc])], false],
      ['two that put it in each branch', [nested([abc], [abc]), nested([abc], [abc])], false],
      ['Del(x), Then(Put(a)) Else(Put(a))', [without, nested([abc], [abc])], true],
      ['deletions in two', [nested([within]), nested([within], [within])], true],
      ['deletions', [exact, within, exact, within], true],
      ['a put and another range', [abc, without], true],
    ])('change a key once: %s', async (_, operations, isFine) => {
      const answer = await txn(operations);
      expect(isFine ? typeof answer : answer).toBe(isFine ? 'object' : 'DUPLICATE_KEY');
    });

    it('take a revision when they change something', async () => {
      await fill('abc');
      for (const operation of [{ kind: 'range', key: 'abc' } as const, remove('def')]) {
        expect(await txn([operation])).toMatchObject({ revision: 1 });
      }
      expect(await txn([put('abc', '123')])).toMatchObject({ revision: 2 });
    });

    it.each<[string, StoreCompare, boolean]>([
      [
        'all created before 5',
        { key: '/a/', rangeEnd: '', target: 'createRevision', result: 'less', operand: 5 },
        true,
      ],
      [
        'one not before 4',
        { key: '/a/', rangeEnd: '', target: 'createRevision', result: 'less', operand: 4 },
        false,
      ],
      [
        'a prefix',
        { key: '/a/', rangeEnd: '/a0', target: 'createRevision', result: 'less', operand: 4 },
        true,
      ],
      [
        'one of a prefix not',
        { key: '/a/', rangeEnd: '/a0', target: 'modRevision', result: 'less', operand: 3 },
        false,
      ],
      [
        'values where there are none',
        { key: '/b/', rangeEnd: '/b0', target: 'value', result: 'equal', operand: 'x' },
        false,
      ],
      [
        'all under leases',
        { key: '/a/', rangeEnd: '/a0', target: 'lease', result: 'greater', operand: 0 },
        false,
      ],
      [
        'none under a lease',
        { key: '/a/', rangeEnd: '/a0', target: 'lease', result: 'equal', operand: 0 },
        true,
      ],
    ])('compare ranges: %s', async (_, compare, succeeded) => {
      await fill('/a/1', '/a/2', '/a/3', '/f/4');
      expect(await txn([], [], [compare])).toMatchObject({ succeeded });
    });

    it('nest ten levels deep, each with its own branch', async () => {
      const path = [true, false, false, true, true, false, true, false, true, true];
      const build = (level: number): StoreOperation => {
        const below = level === path.length ? [] : [build(level + 1)];
        const isTrue = path[level] ?? true;
        return nested(isTrue ? below : [], isTrue ? [] : below, [versionOf('k', isTrue ? 0 : 1)]);
      };
      let answer: unknown = await txn([build(0)]);
      for (const succeeded of path) {
        const [next] = (answer as { results: unknown[] }).results;
        expect(next).toMatchObject({ kind: 'txn', succeeded });
        answer = next;
      }
    });

    it('nest as deep as is said, and no deeper, however deep', async () => {
      expect(COORDINATOR_TXN_DEPTH_MAX).toBe(NESTING_DEPTH_MAX);
      const deep = (levels: number): StoreOperation[] => {
        let operations: StoreOperation[] = [put('k')];
        for (let i = 0; i < levels; i++) operations = [nested(operations)];
        return operations;
      };
      expect(await txn(deep(COORDINATOR_TXN_DEPTH_MAX))).toMatchObject({ revision: 1 });
      for (const levels of [1, 2, 2_000]) {
        expect(await txn(deep(COORDINATOR_TXN_DEPTH_MAX + levels))).toBe('NESTED_TOO_DEEP');
      }
    });

    it.each<[string, (i: number) => Parameters<typeof txn>]>([
      ['comparisons', (i) => [[], [], [versionOf(`k${i}`, 0)]]],
      ['operations', (i) => [[put(`k${i}`)]]],
      ['operations of the other branch', (i) => [[], [put(`k${i}`)]]],
      ['nested transactions', (i) => [[nested([put(`k${i}`)])]]],
    ])('bound %s, all of them together', async (kind, one) => {
      const sum = (count: number): Parameters<typeof txn> => {
        const parts = Array.from({ length: count }, (_, i) => one(i));
        const list = <T>(at: 0 | 1 | 2): T[] => parts.flatMap((part) => (part[at] ?? []) as T[]);
        return [list(0), list(1), list(2)];
      };
      const most = COORDINATOR_TXN_OPERATIONS_MAX / (kind === 'nested transactions' ? 2 : 1);
      expect(await txn(...sum(most))).toMatchObject({ succeeded: true });
      expect(await txn(...sum(most + 1))).toBe('REQUEST_TOO_LARGE');
    });

    it('are refused whole for a revision in them that cannot be read', async () => {
      await fill('foo', 'foo', 'foo');
      expect(await store.ask('compact', { revision: 2 })).toEqual({ compactedRevision: 2 });
      const at = (revision: number): StoreOperation[] => [
        put('foo'),
        { kind: 'range', key: 'foo', revision },
      ];
      expect(await txn(at(100))).toBe('FUTURE_REVISION');
      expect(await txn(at(1))).toBe('COMPACTED');
      expect(await txn(at(2))).toMatchObject({ revision: 4, results: [{}, { items: [{ modRevision: 2 }] }] });
    });

    it('that are too large are refused as such', async () => {
      expect(await txn([put('foo', 'x'.repeat(131_073))])).toBe('INVALID_ARGUMENT');
      for (const length of [131_072, 131_073]) {
        const valueBase64 = Buffer.alloc(length, 0xff).toString('base64');
        const answer = await txn([{ kind: 'put', key: 'foo', valueBase64 }]);
        expect(answer === 'INVALID_ARGUMENT').toBe(length === 131_073);
      }
      const many = Array.from({ length: 9 }, (_, i) => put(`k${i}`, 'x'.repeat(131_072)));
      expect(await txn([nested(many)])).toBe('REQUEST_TOO_LARGE');
    });

    it('look at no more keys than can be looked at in one go', async () => {
      const name = (i: number): string => `k${i}`;
      for (const from of [0, 1_000]) {
        expect(await txn(Array.from({ length: 1_000 }, (_, i) => put(name(from + i))))).toMatchObject({
          succeeded: true,
        });
      }
      const isNew: StoreCompare = { ...all, target: 'version', result: 'equal', operand: 1 };
      const sorted: StoreOperation = { kind: 'range', ...all, sortBy: 'value', limit: 1 };
      const page: StoreOperation = { kind: 'range', ...all, limit: 1 };
      expect(await txn([page, sorted, remove('x', '')], [], [isNew])).toMatchObject({ succeeded: true });
      const many = (count: number, operation: StoreOperation): StoreOperation[] =>
        Array.from({ length: count }, () => operation);
      expect(await txn(many(1_100, page))).toMatchObject({ succeeded: true });
      expect(await txn(many(1_100, sorted))).toBe('REQUEST_TOO_LARGE');
      expect(await txn(many(1_100, remove('', '')))).toBe('FORBIDDEN');
      expect(await txn(many(1_100, remove('k', 'l')))).toBe('REQUEST_TOO_LARGE');
      expect(await txn(many(10, nested([], [], [isNew, isNew])))).toMatchObject({ succeeded: true });
      expect(await txn(many(501, nested([], [], [isNew, isNew])))).toBe('REQUEST_TOO_LARGE');
    });

    it('write nothing that is not the speaker’s, on whatever level', async () => {
      const foreign = put('/ringleader/cluster');
      for (const operation of [foreign, nested([foreign]), nested([], [nested([remove('', '')])])]) {
        expect(await txn([operation])).toBe('FORBIDDEN');
        expect(await txn([], [operation])).toBe('FORBIDDEN');
      }
    });
  });

  describe('compaction', () => {
    it('leaves its own revision readable, and the present', async () => {
      await fill('foo', 'foo', 'foo');
      await store.ask('compact', { revision: 3 });
      for (const request of [
        { key: 'foo' },
        { key: 'foo', serializable: true },
        { key: 'foo', revision: 3 },
      ]) {
        expect(await store.ask('range', request)).toMatchObject({ items: [{ version: 3 }] });
      }
      expect(await store.ask('range', { key: 'foo', revision: 2 })).toBe('COMPACTED');
    });

    it('is told when it was done before, and when it is too early', async () => {
      await fill('foo', 'foo');
      expect(await store.ask('compact', { revision: 3 })).toBe('FUTURE_REVISION');
      await store.ask('compact', { revision: 2 });
      for (const revision of [0, 1, 2]) expect(await store.ask('compact', { revision })).toBe('COMPACTED');
    });

    it('is not for members of the cluster', async () => {
      const shard = new ContractStore({ service: 'shard', member: 'shard-1' });
      expect(await shard.ask('compact', { revision: 1 })).toBe('FORBIDDEN');
      shard.stop();
    });
  });

  describe('leases', () => {
    const grant = (leaseId?: number, ttlMs = 30_000): ReturnType<ContractStore['ask']> =>
      store.ask('leaseGrant', leaseId === undefined ? { ttlMs } : { ttlMs, leaseId });
    const left = (leaseId: number): ReturnType<ContractStore['ask']> =>
      store.ask('leaseTimeToLive', { leaseId, wantsKeys: true });

    it('have the id that is wanted, once', async () => {
      expect(await grant(1)).toEqual({ leaseId: 1, ttlMs: 30_000 });
      expect(await grant(1)).toBe('LEASE_EXISTS');
      expect(await grant(2)).toMatchObject({ leaseId: 2 });
      expect(await grant(Number.MAX_SAFE_INTEGER)).toMatchObject({ leaseId: Number.MAX_SAFE_INTEGER });
      expect(await grant()).toMatchObject({ leaseId: 3 });
      for (const leaseId of [0, -1, 1.5]) expect(await grant(leaseId)).toBe('INVALID_ARGUMENT');
    });

    it('live for no time that cannot be kept, and serve nothing when they are gone', async () => {
      for (const ttlMs of [0, 499, 86_400_001]) expect(await grant(7, ttlMs)).toBe('INVALID_ARGUMENT');
      await grant(7);
      await store.ask('leaseRevoke', { leaseId: 7 });
      expect(await txn([put('foo', 'bar', { lease: 7 })])).toBe('LEASE_NOT_FOUND');
      expect(await store.ask('leaseRevoke', { leaseId: 7 })).toBe('LEASE_NOT_FOUND');
      expect(await store.ask('leaseKeepAlive', { leaseId: 0 })).toBe('LEASE_NOT_FOUND');
    });

    it('are listed, a page at a time', async () => {
      for (const leaseId of [5, 3, 9]) await grant(leaseId, 1_000 * leaseId);
      expect(await store.ask('leases', {})).toEqual({
        leases: [
          { leaseId: 3, ttlMs: 3_000 },
          { leaseId: 5, ttlMs: 5_000 },
          { leaseId: 9, ttlMs: 9_000 },
        ],
        more: false,
      });
      expect(await store.ask('leases', { from: 6 })).toMatchObject({ leases: [{ leaseId: 9 }] });
    });

    it('tell their time and their keys', async () => {
      await grant(5);
      await txn(['b', 'a', 'c'].map((key) => put(key, '', { lease: 5 })));
      store.clock.now += 1_000;
      expect(await left(5)).toEqual({
        ttlMs: 30_000,
        remainingMs: 29_000,
        keys: ['a', 'b', 'c'],
        more: false,
      });
      expect(await store.ask('leaseTimeToLive', { leaseId: 5 })).toEqual({
        ttlMs: 30_000,
        remainingMs: 29_000,
      });
      await store.ask('leaseKeepAlive', { leaseId: 5 });
      expect(
        await store.ask('leaseTimeToLive', { leaseId: 5, wantsKeys: true, keysFrom: 'b' }),
      ).toMatchObject({
        ...{ remainingMs: 30_000, keys: ['b', 'c'] },
      });
      await store.ask('leaseRevoke', { leaseId: 5 });
      for (const gone of [left(5), store.ask('leaseKeepAlive', { leaseId: 5 })]) {
        expect(await gone).toBe('LEASE_NOT_FOUND');
      }
      expect(await keysOf(all)).toEqual(['', 0, false]);
    });

    it('give up a key that is put under another, or under none', async () => {
      await grant(1);
      await grant(2);
      await txn([put('a', '', { lease: 1 }), put('b', '', { lease: 1 })]);
      await txn([put('a', '', { lease: 2 }), put('b')]);
      await store.ask('leaseRevoke', { leaseId: 1 });
      expect(await keysOf(all)).toEqual(['a,b', 2, false]);
      await store.ask('leaseRevoke', { leaseId: 2 });
      expect(await keysOf(all)).toEqual(['b', 1, false]);
    });

    it('have all of their time again under the next leader', async () => {
      await grant(5);
      store.clock.now += 29_000;
      store.group.lead({ term: 2, leader: 3, leading: false });
      expect(await left(5)).toBe('NOT_LEADER');
      store.group.lead({ term: 3, leader: 1, leading: true });
      expect(await left(5)).toMatchObject({ remainingMs: 30_000 });
    });

    it('are not known without a majority', async () => {
      await grant(5);
      store.group.hasQuorum = false;
      expect([await left(5), await store.ask('leases', {})]).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    });
  });

  it('a full store takes deletions, reads and what the cluster needs, and writes again after compaction', async () => {
    await txn([put('abc', 'x'.repeat(1_600))]);
    await store.group.store.propose({ kind: 'limitSize', sizeBytesMax: 2_048, exemptPrefix: '/ringleader/' });
    expect(await txn([put('abc', 'x'.repeat(1_024))])).toBe('STORE_FULL');
    expect(await txn([nested([put('big', 'x'.repeat(1_024))])])).toBe('STORE_FULL');
    expect(await store.ask('leaseGrant', { ttlMs: 1_000 })).toMatchObject({ leaseId: 1 });
    const own = put(memberKey('gateway', 'gateway-1'), 'x'.repeat(1_024), { lease: 1 });
    expect(await txn([own])).toMatchObject({ succeeded: true });
    expect(await txn([put('d')])).toBe('STORE_FULL');
    expect(await store.ask('leaseKeepAlive', { leaseId: 1 })).toEqual({ ttlMs: 1_000 });
    expect(await txn([{ kind: 'range', ...all }])).toMatchObject({ results: [{ count: 2 }] });
    expect(await txn([remove('abc')], [], [versionOf('abc', 1)])).toMatchObject({
      succeeded: true,
      revision: 3,
    });
    expect(await store.ask('leaseRevoke', { leaseId: 1 })).toEqual({ revision: 4 });
    expect(await txn([put('d')])).toBe('STORE_FULL');
    await store.ask('compact', { revision: 4 });
    expect(await txn([put('d', 'x'.repeat(1_600))])).toMatchObject({ succeeded: true });
  });
});
