import { beforeEach, describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import { type Command, type CommandResult, type Operation, SORT_FIELDS, plainRead } from './commands.js';
import type { StoreRules } from './rules.js';
import { snapshotOf, storeOf } from './snapshot-codec.js';
import { MvccStore, type RangeQuery } from './store.js';

const TERM = 7;
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const put = (key: string, value = '', lease = 0): Operation => ({
  ...{ kind: 'put', key, value: bytes(value), lease, wantsPrevious: false },
});
const remove = (key: string, rangeEnd: string | null = null): Operation => ({
  kind: 'delete',
  key,
  rangeEnd,
  wantsPrevious: false,
});
const nested = (...success: Operation[]): Operation => ({ kind: 'txn', compare: [], success, failure: [] });
const all = { ...plainRead, key: '', rangeEnd: '' };

describe('MvccStore', () => {
  let store: MvccStore;
  const apply = (command: Command): CommandResult => store.apply(command, TERM);
  const txn = (...success: Operation[]): CommandResult =>
    apply({ kind: 'txn', compare: [], success, failure: [] });
  const grant = (ttlMs = 1_000): number => {
    const result = apply({ kind: 'leaseGrant', ttlMs, wanted: 0 });
    if (result.kind !== 'leaseGranted') throw new Error('not granted');
    return result.lease;
  };
  const keys = (): string[] => {
    const outcome = store.range(all);
    return outcome.kind === 'range' ? outcome.items.map(({ key }) => key) : [];
  };

  beforeEach(() => {
    store = new MvccStore();
  });

  describe('transactions', () => {
    it('are one revision, whatever they change', () => {
      txn(put('a', '1'), put('b', '2'));
      txn(put('a', '3'), remove('b'), put('c', '4'));
      expect(store.revision).toBe(2);
      expect(store.range(all)).toEqual({
        kind: 'range',
        revision: 2,
        count: 2,
        more: false,
        items: [
          { key: 'a', value: bytes('3'), createRevision: 1, modRevision: 2, version: 2, lease: 0 },
          { key: 'c', value: bytes('4'), createRevision: 2, modRevision: 2, version: 1, lease: 0 },
        ],
      });
    });

    it('take no revision when they change nothing', () => {
      txn(put('a'));
      expect(txn(remove('b'))).toMatchObject({
        revision: 1,
        results: [{ kind: 'delete', deleted: 0, previous: [], more: false }],
      });
    });

    it('begin a key anew after its deletion', () => {
      txn(put('a'));
      txn(put('a'));
      txn(remove('a'));
      txn(put('a', 'x'));
      expect(store.range({ ...all, key: 'a', rangeEnd: null })).toMatchObject({
        items: [{ createRevision: 4, modRevision: 4, version: 1 }],
      });
    });

    it('see their own changes in the order of the operations', () => {
      const range: Operation = { kind: 'range', ...all };
      expect(txn(range, put('a', '1'), range)).toMatchObject({
        results: [
          { count: 0 },
          { kind: 'put' },
          { count: 1, items: [{ key: 'a', value: bytes('1'), modRevision: 1 }] },
        ],
      });
    });

    it('choose the branch by all comparisons, and compare the value of a missing key with nothing', () => {
      txn(put('a', 'm'));
      const command = (result: 'equal' | 'notEqual', key: string): Command => ({
        kind: 'txn',
        compare: [
          { key: 'a', rangeEnd: null, target: 'version', result: 'equal', operand: 1 },
          { key, rangeEnd: null, target: 'value', result, operand: bytes('m') },
        ],
        success: [],
        failure: [],
      });
      expect(apply(command('equal', 'a'))).toMatchObject({ succeeded: true });
      expect(apply(command('notEqual', 'a'))).toMatchObject({ succeeded: false });
      expect(apply(command('equal', 'nowhere'))).toMatchObject({ succeeded: false });
      expect(apply(command('notEqual', 'nowhere'))).toMatchObject({ succeeded: false });
    });

    it.each([
      ['two puts', [put('a'), put('a')]],
      ['a put and a deletion around it', [put('b'), remove('a', 'c')]],
      ['a deletion to the end of all keys', [remove('a', ''), put('b')]],
      ['within the only operation', [nested(put('a'), put('a'))]],
    ])('refuse to change a key twice: %s', (_, operations) => {
      expect(txn(...operations)).toMatchObject({ kind: 'rejected', rejection: { reason: 'duplicateKey' } });
      expect(store.revision).toBe(0);
    });

    it('hold the first map of the largest cluster in one', () => {
      const entries = Array.from({ length: 16_384 }, (_, i) =>
        put(`/p/${String(i).padStart(5, '0')}`, '{"epoch":1}'),
      );
      expect(txn(...entries)).toMatchObject({ kind: 'txn', revision: 1 });
      expect(store.range({ ...all, limit: 1 })).toMatchObject({ count: 16_384, more: true });
    });
  });

  describe('ranges', () => {
    beforeEach(() => {
      txn(put('b', 'xx'), put('a', 'xx'), put('c', 'xx'), put('\u{1f600}'), put('\uff5e'));
    });

    it('stand in the order of UTF-8 bytes', () => {
      expect(keys()).toEqual(['a', 'b', 'c', '\uff5e', '\u{1f600}']);
    });

    it.each([
      [{ key: 'b', rangeEnd: null }, 1],
      [{ key: 'a', rangeEnd: 'c' }, 2],
      [{ key: 'b', rangeEnd: '' }, 4],
      [{ key: 'c', rangeEnd: 'a' }, 0],
    ])('hold what %j says', (range, count) => {
      expect(store.range({ ...all, ...range })).toMatchObject({ count, more: false });
    });

    it('are bounded by number and by length, with one item at least', () => {
      const cut = { items: [{ key: 'a' }], count: 5, more: true };
      expect(store.range({ ...all, limit: 1 })).toMatchObject(cut);
      expect(store.range({ ...all, sizeBytesMax: 5 })).toMatchObject(cut);
      expect(store.range({ ...all, sizeBytesMax: 1 })).toMatchObject(cut);
    });

    it('do not exist at a revision to come', () => {
      expect(store.range({ ...all, revision: 2 })).toEqual({ kind: 'futureRevision', revision: 1 });
    });
  });

  it('gives the first of many in any order as if it had sorted all', () => {
    const prng = seededPrng(7);
    for (let i = 0; i < 4; i++) {
      const names = new Set(Array.from({ length: 800 }, () => `k${prng.nextBelow(2_000)}`));
      txn(...Array.from(names, (key) => put(key, String(prng.nextBelow(50)))));
    }
    const read = (query: Partial<RangeQuery>): [string[], number, boolean] => {
      const outcome = store.range({ ...all, ...query });
      if (outcome.kind !== 'range') throw new Error('the present can be read');
      return [outcome.items.map(({ key }) => key), outcome.count, outcome.more];
    };
    for (const sortBy of SORT_FIELDS) {
      for (const isDescending of [false, true]) {
        const [names, count] = read({ sortBy, isDescending });
        expect(count).toBe(names.length);
        for (const limit of [1, 7, 1_100, count]) {
          const [first, ...rest] = read({ sortBy, isDescending, limit });
          expect([first.join(), ...rest]).toEqual([names.slice(0, limit).join(), count, limit < count]);
        }
      }
    }
  });

  describe('leases', () => {
    it('take their keys with them, at one revision', () => {
      const lease = grant();
      txn(put('a', '', lease), put('b', '', lease), put('c'));
      expect(apply({ kind: 'leaseRevoke', lease })).toEqual({
        kind: 'leasesEnded',
        revision: 2,
        leases: [lease],
      });
      expect(keys()).toEqual(['c']);
      expect(apply({ kind: 'leaseRevoke', lease })).toMatchObject({
        rejection: { reason: 'leaseNotFound', lease },
      });
    });

    it('leave a key alone that was written under another lease or none since', () => {
      const [first, second] = [grant(), grant()];
      txn(put('a', '', first), put('b', '', first), put('c', '', first));
      txn(put('a', '', second), put('b'));
      txn(remove('c'));
      txn(put('c'));
      apply({ kind: 'leaseRevoke', lease: first });
      expect(keys()).toEqual(['a', 'b', 'c']);
      apply({ kind: 'leaseRevoke', lease: second });
      expect(keys()).toEqual(['b', 'c']);
    });

    it('expire only by the word of the term in which they ran out', () => {
      const lease = grant();
      txn(put('a', '', lease));
      expect(apply({ kind: 'leaseExpire', leases: [lease], term: TERM - 1, asOf: 0 })).toMatchObject({
        rejection: { reason: 'staleTerm' },
      });
      expect(store.leaseCount).toBe(1);
      expect(apply({ kind: 'leaseExpire', leases: [lease, 99], term: TERM, asOf: 0 })).toMatchObject({
        leases: [lease],
      });
      expect(keys()).toEqual([]);
    });

    it('do not expire for another one that had their id', () => {
      const wanted = { kind: 'leaseGrant', ttlMs: 1_000, wanted: 7 } as const;
      apply(wanted);
      const expire = { kind: 'leaseExpire', leases: [7], term: TERM, asOf: store.wantedGrants } as const;
      apply({ kind: 'leaseRevoke', lease: 7 });
      apply(wanted);
      store = storeOf(snapshotOf(store));
      expect(apply(expire)).toMatchObject({ leases: [] });
      expect(store.leaseCount).toBe(1);
      expect(apply({ ...expire, asOf: store.wantedGrants })).toMatchObject({ leases: [7] });
    });

    it('must exist for a key to hang on them', () => {
      expect(txn(put('a', '', 5))).toMatchObject({ rejection: { reason: 'leaseNotFound', lease: 5 } });
    });
  });

  describe('watches', () => {
    const watch = (revision: number, bounds = { eventsMax: 100, sizeBytesMax: 1_000 }): unknown =>
      store.watch({ ...all, from: { revision, skip: 0 }, ...bounds });

    const nothing = (revision: number): unknown => {
      return { kind: 'events', events: [], next: { revision, skip: 0 }, isSynced: true };
    };

    it('resume from any revision, deletions included', () => {
      txn(put('b', '1'), put('a', '1'));
      txn(remove('a'));
      expect(watch(1)).toMatchObject({
        events: [
          { kind: 'put', item: { key: 'a', modRevision: 1 } },
          { kind: 'put', item: { key: 'b', modRevision: 1 } },
          { kind: 'delete', item: { key: 'a', modRevision: 2, version: 0, value: bytes('') } },
        ],
        next: { revision: 3, skip: 0 },
      });
      expect(watch(3)).toEqual(nothing(3));
    });

    it('leave a watcher that has seen more elsewhere where it is', () => {
      txn(put('a'), put('b'));
      const ahead = { revision: 2, skip: 1 };
      const bounds = { eventsMax: 9, sizeBytesMax: 1_000 };
      expect(store.watch({ ...all, ...bounds, from: ahead })).toMatchObject({ events: [], next: ahead });
      txn(put('a'), put('b'));
      expect(store.watch({ ...all, ...bounds, from: ahead })).toMatchObject({
        events: [{ item: { key: 'b' } }],
        next: { revision: 3, skip: 0 },
      });
    });

    it('deliver a large revision in parts', () => {
      txn(put('a'), put('b'), put('c'));
      expect(watch(1, { eventsMax: 2, sizeBytesMax: 1_000 })).toMatchObject({
        next: { revision: 1, skip: 2 },
        isSynced: false,
      });
      expect(
        store.watch({ ...all, from: { revision: 1, skip: 2 }, eventsMax: 2, sizeBytesMax: 1_000 }),
      ).toMatchObject({ events: [{ item: { key: 'c' } }], next: { revision: 2, skip: 0 } });
    });

    it('wait where a member is that has not got so far', () => {
      expect(watch(9)).toEqual(nothing(9));
    });
  });

  describe('compaction', () => {
    beforeEach(() => {
      txn(put('a', '1'), put('b', '1'));
      txn(put('a', '2'));
      txn(remove('b'));
      txn(put('a', '3'));
      apply({ kind: 'compact', revision: 3 });
    });

    it('keeps what a reader at its revision sees, and nothing older', () => {
      const at = (revision: number): unknown => store.range({ ...all, revision });
      expect(at(3)).toMatchObject({ kind: 'range', items: [{ key: 'a', value: bytes('2') }] });
      expect(at(2)).toEqual({ kind: 'compacted', compactedRevision: 3 });
    });

    it('ends watches that would have a gap', () => {
      const watch = (revision: number): unknown =>
        store.watch({ ...all, from: { revision, skip: 0 }, eventsMax: 10, sizeBytesMax: 100 });
      expect(watch(3)).toEqual({ kind: 'compacted', compactedRevision: 3 });
      expect(watch(4)).toMatchObject({ events: [{ item: { key: 'a', value: bytes('3') } }] });
    });

    it('goes forward only, and not beyond the present', () => {
      for (const revision of [0, 1, 3]) {
        expect(apply({ kind: 'compact', revision })).toMatchObject({
          rejection: { reason: 'compacted', compactedRevision: 3 },
        });
      }
      expect(apply({ kind: 'compact', revision: 5 })).toMatchObject({
        rejection: { reason: 'futureRevision' },
      });
    });

    it('is due when there are too many events, and leaves the newest', () => {
      const bounds = { eventsMin: 2, eventsMax: 4 };
      for (let i = 0; i < 3; i++) txn(put('a'));
      expect(store.compactionTarget(bounds)).toBeNull();
      txn(put('a'));
      expect(store.compactionTarget(bounds)).toBe(6);
      apply({ kind: 'compact', revision: 6 });
      expect(store.compactionTarget(bounds)).toBeNull();
    });

    it('in steps comes to the same bytes as at once, and no step forgets more than it may', () => {
      for (let i = 0; i < 40; i++)
        txn(...Array.from({ length: 1 + (i % 7) }, (_, k) => put(`k${(i + k) % 9}`, `${i}`)));
      txn(remove('k0', 'k5'));
      const target = store.revision - 2;
      const atOnce = storeOf(snapshotOf(store));
      atOnce.apply({ kind: 'compact', revision: target }, TERM);
      const EVENTS_MAX = 5;
      let steps = 0;
      while (store.compactedRevision < target) {
        const revision = store.compactionStep(target, EVENTS_MAX);
        const [before, { eventCount, compactedRevision }] = [store.hash(), store];
        expect(apply({ kind: 'compact', revision })).toMatchObject({ kind: 'compacted' });
        const isOne = revision === compactedRevision + 1;
        expect(isOne || eventCount - store.eventCount <= EVENTS_MAX).toBe(true);
        expect(store.presentHash).toBe(before.kind === 'hash' ? before.hash : '');
        steps += 1;
      }
      expect(steps).toBeGreaterThan(20);
      expect([...snapshotOf(store)]).toEqual([...snapshotOf(atOnce)]);
      expect(store.sizeBytes).toBe(atOnce.sizeBytes);
    });
  });

  it('answers what changes nothing past the log, and only that', () => {
    txn(put('a'));
    const read: Operation = { kind: 'range', ...all, key: 'a', rangeEnd: null };
    expect(store.evaluate({ kind: 'txn', compare: [], success: [read], failure: [] })).toMatchObject({
      revision: 1,
    });
    expect(() => store.evaluate({ kind: 'txn', compare: [], success: [read], failure: [put('b')] })).toThrow(
      'only what changes nothing',
    );
  });

  it('decides by the rules that it was given, also when it comes from a snapshot', () => {
    const broken: StoreRules = { mayExpire: () => true, isWatchable: () => true };
    const lease = grant();
    txn(put('a', '', lease));
    apply({ kind: 'compact', revision: 1 });
    for (const other of [new MvccStore(store.parts, broken), storeOf(snapshotOf(store), broken)]) {
      const from = { revision: 1, skip: 0 };
      expect(other.watch({ ...all, from, eventsMax: 1, sizeBytesMax: 1 })).toMatchObject({ kind: 'events' });
      expect(other.apply({ kind: 'leaseExpire', leases: [lease], term: TERM - 1, asOf: 0 }, TERM).kind).toBe(
        'leasesEnded',
      );
    }
  });
});
