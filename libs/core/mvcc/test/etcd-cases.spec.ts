/**
 * What etcd's own integration tests exercise of its store (tests/integration/v3_*_test.go), asked of this one in our words.
 * The README has the list of the cases and what each showed.
 */
import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Command,
  type CommandResult,
  type Compare,
  type NestedTxn,
  type Operation,
  type PutOperation,
  plainRead,
} from '../src/commands.js';
import { snapshotOf, storeOf } from '../src/snapshot-codec.js';
import { MvccStore } from '../src/store.js';

const TERM = 7;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const put = (key: string, value = '', options: Partial<PutOperation> = {}): PutOperation => {
  return { kind: 'put', key, value: bytes(value), lease: 0, wantsPrevious: false, ...options };
};
const remove = (key: string, rangeEnd: string | null = null, wantsPrevious = false): Operation => {
  return { kind: 'delete', key, rangeEnd, wantsPrevious };
};
const nested = (success: Operation[], failure: Operation[] = [], compare: Compare[] = []): NestedTxn => {
  return { kind: 'txn', compare, success, failure };
};
const versionOf = (key: string, operand: number): Compare => {
  return { key, rangeEnd: null, target: 'version', result: 'equal', operand };
};
const all = { ...plainRead, key: '', rangeEnd: '' };
const readAll: Operation = { kind: 'range', ...all };

describe('of etcd’s cases', () => {
  let store: MvccStore;
  const apply = (command: Command): CommandResult => store.apply(command, TERM);
  const txn = (...success: Operation[]): CommandResult => apply(nested(success));
  const rejection = (reason: string): unknown =>
    expect.objectContaining({ rejection: expect.objectContaining({ reason }) });
  const items = (): Record<string, string> => {
    const outcome = store.range(all);
    if (outcome.kind !== 'range') throw new Error('the present can be read');
    return Object.fromEntries(outcome.items.map(({ key, value }) => [key, Buffer.from(value).toString()]));
  };
  const events = (from: number, options: object = {}): unknown => {
    const bounds = { eventsMax: 100, sizeBytesMax: 10_000, from: { revision: from, skip: 0 } };
    const outcome = store.watch({ key: '', rangeEnd: '', ...bounds, ...options });
    if (outcome.kind !== 'events') return outcome;
    return outcome.events.map(({ kind, item, previous }) => {
      const before = previous === null ? [] : [Buffer.from(previous.value).toString()];
      return [kind, item.key, item.modRevision, ...before];
    });
  };

  beforeEach(() => {
    store = new MvccStore();
  });

  describe('puts', () => {
    it('overwrite, and give the previous value back', () => {
      txn(put('foo', 'bar'));
      expect(txn(put('foo', 'baz', { wantsPrevious: true }))).toMatchObject({
        revision: 2,
        results: [{ previous: { value: bytes('bar'), modRevision: 1 } }],
      });
    });

    it.each([
      ['value', { value: null }],
      ['lease', { lease: null }],
    ])('keep the %s of a key that exists, and are refused where there is none', (_, kept) => {
      apply({ kind: 'leaseGrant', ttlMs: 30_000, wanted: 9 });
      apply({ kind: 'leaseGrant', ttlMs: 30_000, wanted: 10 });
      expect(txn(put('other'), put('foo', 'x', kept))).toEqual(rejection('keyNotFound'));
      expect(store.revision).toBe(0);
      txn(put('foo', 'bar', { lease: 9 }));
      txn(put('foo', 'new', { lease: 10, ...kept }));
      const isValueKept = 'value' in kept;
      expect(items()).toEqual({ foo: isValueKept ? 'bar' : 'new' });
      expect([store.leaseKeys(9), store.leaseKeys(10)]).toEqual(isValueKept ? [[], ['foo']] : [['foo'], []]);
      txn(put('foo', '', { value: null, lease: 0 }));
      apply({ kind: 'leaseRevoke', lease: 9 });
      apply({ kind: 'leaseRevoke', lease: 10 });
      expect(items()).toEqual({ foo: isValueKept ? 'bar' : 'new' });
    });

    it('need a lease that exists, in the branch that is taken', () => {
      const missing = put('foo', '', { lease: 123_456 });
      expect(txn(missing)).toEqual(rejection('leaseNotFound'));
      expect(apply(nested([], [missing], [versionOf('bar', 1)]))).toEqual(rejection('leaseNotFound'));
      expect(apply(nested([readAll], [missing]))).toMatchObject({ kind: 'txn', succeeded: true });
      expect(items()).toEqual({});
    });
  });

  describe('deletions', () => {
    it.each([
      ['the middle', 'foo/', 'fop', ['foo/abc']],
      ['nothing, as an empty range', 'foo/', 'foo/', []],
      ['the first', 'fo', 'fop', ['foo', 'foo/abc']],
      ['the tail', 'foo/', 'fos', ['foo/abc', 'fop']],
      ['one', 'foo/abc', null, ['foo/abc']],
    ])('delete %s, and give back what that was', (_, key, rangeEnd, deleted) => {
      for (const each of ['foo', 'foo/abc', 'fop']) txn(put(each));
      expect(txn(remove(key, rangeEnd, true))).toMatchObject({
        revision: deleted.length === 0 ? 3 : 4,
        results: [{ deleted: deleted.length, previous: deleted.map((each) => ({ key: each, version: 1 })) }],
      });
      expect(Object.keys(items())).toEqual(
        ['foo', 'foo/abc', 'fop'].filter((each) => !deleted.includes(each)),
      );
    });
  });

  describe('transactions', () => {
    const a = put('abc');
    const around = remove('a', 'b');
    const beside = remove('abb', 'abc');

    it.each<[string, Operation[], boolean]>([
      ['two puts', [a, a], false],
      ['a put and its deletion', [a, remove('abc')], false],
      ['a put and a deletion around it', [a, around], false],
      ['a put, and a deletion in a nested one', [a, nested([around])], false],
      ['a deletion, and a put in a nested one', [around, nested([a])], false],
      ['puts in two nested ones', [nested([a], [a]), nested([a], [a])], false],
      ['a deletion in a nested one before a put in another', [nested([around]), nested([], [a])], false],
      // This etcd lets through: its revisions have parts, ours are one change of a key.
      ['a put in a nested one before a deletion in another', [nested([], [a]), nested([around])], false],
      ['two levels down', [nested([nested([a])]), nested([nested([a])])], false],
      ['both branches of a nested one', [nested([a], [a])], true],
      ['a put in one branch, its deletion in the other', [nested([a], [around])], true],
      ['a deletion beside puts', [beside, nested([a], [a])], true],
      ['deletions only', [nested([around]), nested([around], [around]), around], true],
      ['the same twice', [remove('abc'), around, remove('abc'), around], true],
    ])('change a key once: %s', (_, success, isAllowed) => {
      expect(txn(...success)).toEqual(
        isAllowed ? expect.objectContaining({ kind: 'txn' }) : rejection('duplicateKey'),
      );
      expect(apply(nested([], success, [versionOf('abc', 0)]))).toEqual(
        isAllowed ? expect.objectContaining({ kind: 'txn' }) : rejection('duplicateKey'),
      );
    });

    it.each<[string, Omit<Compare, 'kind'>, boolean]>([
      [
        'all fit, to the end',
        { key: '/a/', rangeEnd: '', target: 'createRevision', result: 'less', operand: 5 },
        true,
      ],
      [
        'one does not',
        { key: '/a/', rangeEnd: '', target: 'createRevision', result: 'less', operand: 4 },
        false,
      ],
      [
        'all of a prefix fit',
        { key: '/a/', rangeEnd: '/a0', target: 'modRevision', result: 'less', operand: 4 },
        true,
      ],
      [
        'one of it does not',
        { key: '/a/', rangeEnd: '/a0', target: 'modRevision', result: 'less', operand: 3 },
        false,
      ],
      [
        'no value of no key',
        { key: '/b/', rangeEnd: '/b0', target: 'value', result: 'notEqual', operand: bytes('x') },
        false,
      ],
      [
        'a version of no key',
        { key: '/b/', rangeEnd: '/b0', target: 'version', result: 'equal', operand: 0 },
        true,
      ],
      [
        'a lease that none has',
        { key: '/a/', rangeEnd: '/a0', target: 'lease', result: 'greater', operand: 0 },
        false,
      ],
      ['no lease', { key: '/a/', rangeEnd: '/a0', target: 'lease', result: 'equal', operand: 0 }, true],
    ])('compare ranges: %s', (_, compare, succeeded) => {
      for (const key of ['/a/1', '/a/2', '/a/3', '/f/4']) txn(put(key, 'x'));
      expect(store.evaluate(nested([], [], [compare as Compare]))).toMatchObject({ succeeded });
    });

    it('follow the path that their comparisons choose, as the store was before', () => {
      const path = [true, false, false, true, true, false, true, false, true, true];
      let inner = nested([put('end')]);
      for (const isThen of [...path].reverse()) {
        // The outer ones write the key that the inner ones compare.
        const compare = [versionOf('k', isThen ? 0 : 1)];
        inner = isThen ? nested([inner], [], compare) : nested([], [inner], compare);
      }
      let result: unknown = txn(put('k'), inner);
      result = (result as { results: unknown[] }).results[1];
      for (const succeeded of path) {
        expect(result).toMatchObject({ kind: 'txn', succeeded });
        result = (result as { results: unknown[] }).results[0];
      }
      expect(items()).toEqual({ k: '', end: '' });
      expect(store.revision).toBe(1);
    });

    it('are refused when they nest too deep', () => {
      let inner = nested([]);
      for (let depth = 0; depth < 16; depth++) inner = nested([], [inner]);
      expect(apply(inner)).toMatchObject({ kind: 'txn' });
      expect(apply(nested([inner]))).toEqual(rejection('nestedTooDeep'));
    });

    it('read a revision that is there, or are refused whole', () => {
      for (let i = 0; i < 3; i++) txn(put('foo', `${i}`));
      apply({ kind: 'compact', revision: 2 });
      const at = (revision: number): CommandResult => txn(put('foo', 'x'), { ...readAll, revision });
      expect(at(100)).toEqual(rejection('futureRevision'));
      expect(at(4)).toEqual(rejection('futureRevision'));
      expect(at(1)).toEqual(rejection('compacted'));
      expect(items()).toEqual({ foo: '2' });
      expect(at(2)).toMatchObject({ results: [{}, { items: [{ value: bytes('1') }] }] });
    });
  });

  describe('leases', () => {
    it('have the id that is wanted, once', () => {
      expect(apply({ kind: 'leaseGrant', ttlMs: 1, wanted: 123 })).toMatchObject({ lease: 123 });
      expect(apply({ kind: 'leaseGrant', ttlMs: 1, wanted: 123 })).toEqual(rejection('leaseExists'));
      expect(apply({ kind: 'leaseGrant', ttlMs: 1, wanted: 0 })).toMatchObject({ lease: 124 });
      apply({ kind: 'leaseRevoke', lease: 123 });
      expect(apply({ kind: 'leaseGrant', ttlMs: 2, wanted: 123 })).toMatchObject({ lease: 123 });
      expect(store.listLeases()).toEqual([
        { lease: 123, ttlMs: 2 },
        { lease: 124, ttlMs: 1 },
      ]);
    });

    it('take the largest id, and go on with small ones', () => {
      const largest = Number.MAX_SAFE_INTEGER;
      expect(apply({ kind: 'leaseGrant', ttlMs: 1, wanted: largest })).toMatchObject({ lease: largest });
      expect(apply({ kind: 'leaseGrant', ttlMs: 1, wanted: 0 })).toMatchObject({ lease: 1 });
      // Even behind the ids that the store has for itself, none is given that is in use.
      for (const wanted of [2 ** 52, 2 ** 52 + 1]) apply({ kind: 'leaseGrant', ttlMs: 1, wanted });
      expect(apply({ kind: 'leaseGrant', ttlMs: 1, wanted: 0 })).toMatchObject({ lease: 2 ** 52 + 2 });
    });

    it('take their keys with them in one revision, and only those that are theirs still', () => {
      for (const wanted of [1, 2]) apply({ kind: 'leaseGrant', ttlMs: 1, wanted });
      txn(put('a', '', { lease: 1 }), put('b', '', { lease: 1 }), put('c', '', { lease: 1 }));
      txn(put('a', '', { lease: 2 }));
      expect(store.leaseKeys(1)).toEqual(['b', 'c']);
      apply({ kind: 'leaseRevoke', lease: 1 });
      expect(events(3)).toEqual([
        ['delete', 'b', 3],
        ['delete', 'c', 3],
      ]);
      expect(items()).toEqual({ a: '' });
    });
  });

  describe('watches', () => {
    beforeEach(() => {
      txn(put('a', '1'), put('b', '1'));
      txn(put('a', '2'));
      txn(remove('a'), put('c', '3'));
    });

    it('give what happened from a revision on, in order, a revision’s events together', () => {
      expect(events(1)).toEqual([
        ['put', 'a', 1],
        ['put', 'b', 1],
        ['put', 'a', 2],
        ['delete', 'a', 3],
        ['put', 'c', 3],
      ]);
      expect(events(3)).toEqual([
        ['delete', 'a', 3],
        ['put', 'c', 3],
      ]);
      expect(events(50)).toEqual([]);
      expect(events(1, { key: 'b', rangeEnd: 'a' })).toEqual([]);
    });

    it('have the previous values', () => {
      const wanted = { key: 'a', rangeEnd: null, wantsPrevious: true };
      expect(events(1, wanted)).toEqual([
        ['put', 'a', 1],
        ['put', 'a', 2, '1'],
        ['delete', 'a', 3, '2'],
      ]);
      // Also of what was compacted itself, as far as events are there.
      apply({ kind: 'compact', revision: 1 });
      expect(events(2, wanted)).toEqual([
        ['put', 'a', 2, '1'],
        ['delete', 'a', 3, '2'],
      ]);
    });

    it('leave out what is filtered', () => {
      expect(events(2, { noPuts: true })).toEqual([['delete', 'a', 3]]);
      expect(events(2, { noDeletes: true })).toEqual([
        ['put', 'a', 2],
        ['put', 'c', 3],
      ]);
    });

    it('give a large revision in parts that say so, and are synced only behind the last', () => {
      const watch = (revision: number, skip: number): unknown =>
        store.watch({ ...all, from: { revision, skip }, eventsMax: 1, sizeBytesMax: 100 });
      expect(watch(3, 0)).toMatchObject({
        events: [{ item: { key: 'a' } }],
        next: { revision: 3, skip: 1 },
        isSynced: false,
      });
      expect(watch(3, 1)).toMatchObject({
        events: [{ item: { key: 'c' } }],
        next: { revision: 4, skip: 0 },
        isSynced: true,
      });
    });

    it('end with the compacted revision, and lose nothing from the next one on', () => {
      apply({ kind: 'compact', revision: 2 });
      for (const from of [1, 2]) expect(events(from)).toEqual({ kind: 'compacted', compactedRevision: 2 });
      expect(events(3)).toEqual([
        ['delete', 'a', 3],
        ['put', 'c', 3],
      ]);
    });
  });

  describe('compaction', () => {
    it('leaves the present, and what is to be read at the compacted revision', () => {
      for (let i = 1; i <= 3; i++) txn(put('foo', `${i}`));
      txn(put('gone'));
      txn(remove('gone'));
      expect(apply({ kind: 'compact', revision: 6 })).toEqual(rejection('futureRevision'));
      expect(apply({ kind: 'compact', revision: 5 })).toMatchObject({ kind: 'compacted' });
      expect(apply({ kind: 'compact', revision: 5 })).toEqual(rejection('compacted'));
      expect(store.range({ ...all, revision: 5 })).toMatchObject({
        items: [{ key: 'foo', value: bytes('3') }],
      });
      expect(store.range({ ...all, revision: 4 })).toEqual({ kind: 'compacted', compactedRevision: 5 });
      expect(store.keyCount).toBe(1);
    });

    it('changes no hash of a revision that is kept', () => {
      for (let i = 1; i <= 5; i++) txn(put(`${i % 2}`, `${i}`));
      const hashes = [3, 4, 5].map((revision) => store.hash(revision));
      apply({ kind: 'compact', revision: 3 });
      const restored = storeOf(snapshotOf(store));
      for (const each of [store, restored]) {
        expect([3, 4, 5].map((revision) => each.hash(revision))).toEqual(
          hashes.map((hash) => ({ ...hash, compactedRevision: 3 })),
        );
      }
      expect(store.hash(2)).toEqual({ kind: 'compacted', compactedRevision: 3 });
      expect(store.hash(6)).toEqual({ kind: 'futureRevision', revision: 5 });
    });
  });

  it('a full store takes deletions, and writes again when these and compaction have made room', () => {
    txn(put('a', 'x'.repeat(1_000)), put('b', 'x'.repeat(1_000)));
    apply({ kind: 'limitSize', sizeBytesMax: store.sizeBytes + 300, exemptPrefix: '/own/' });
    expect(txn(put('c', 'x'.repeat(100)))).toEqual(rejection('storeFull'));
    expect(txn(put('c'))).toMatchObject({ kind: 'txn' });
    expect(txn(put('d'))).toEqual(rejection('storeFull'));
    expect(txn(remove('b'), put('d'))).toEqual(rejection('storeFull'));
    expect(txn(put('/own/a', 'x'.repeat(1_000)), put('d'))).toEqual(rejection('storeFull'));
    expect(txn(put('/own/a', 'x'.repeat(1_000)), remove('/own/b'))).toMatchObject({ kind: 'txn' });
    // An eighth of the limit is room for one lease of 256 bytes, whatever else there is.
    const grants = Array.from({ length: 2 }, () => apply({ kind: 'leaseGrant', ttlMs: 1, wanted: 0 }));
    expect(grants).toEqual([expect.objectContaining({ lease: 1 }), rejection('leasesFull')]);
    expect(apply({ kind: 'leaseRevoke', lease: 1 })).toMatchObject({ leases: [1] });
    expect(txn(readAll)).toMatchObject({ kind: 'txn' });
    expect(txn(remove('b'), remove('/own/a'))).toMatchObject({ kind: 'txn' });
    expect(storeOf(snapshotOf(store)).apply(nested([put('d')]), TERM)).toEqual(rejection('storeFull'));
    apply({ kind: 'compact', revision: store.revision });
    expect(txn(put('d', 'x'.repeat(500)))).toMatchObject({ kind: 'txn' });
  });

  it('a restored store goes on with revisions that nobody has seen, and tells watchers of the gap', () => {
    txn(put('a', '1'));
    txn(put('a', '2'));
    store.jumpTo(1_000_000_002);
    expect(store).toMatchObject({ revision: 1_000_000_002, compactedRevision: 1_000_000_002 });
    expect(events(3)).toEqual({ kind: 'compacted', compactedRevision: 1_000_000_002 });
    expect(store.range(all)).toMatchObject({ items: [{ value: bytes('2'), modRevision: 2, version: 2 }] });
    const restored = storeOf(snapshotOf(store));
    for (const each of [store, restored]) each.apply(nested([put('a', '3')]), TERM);
    expect(restored.hash()).toEqual(store.hash());
    expect(events(1_000_000_003, { wantsPrevious: true })).toEqual([['put', 'a', 1_000_000_003, '2']]);
    expect(() => store.jumpTo(5)).toThrow('revisions go forward');
  });
});
