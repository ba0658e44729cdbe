import { describe, expect, it } from '@jest/globals';
import { hidesKeyedWrite, type OpenBatch } from './batches.js';
import { NewestByKey } from './newest-by-key.js';
import type { RequestMark, Row } from '../records.js';
import { REQUEST_RULES } from '../rules/request-rules.js';
import { MemoryShare } from './memory-share.js';
import { KeyedRequests } from './keyed-requests.js';

const WINDOW_MS = 1_000;
const MS = 1_024;

const { earliestAttempt } = REQUEST_RULES;
const keyedRequests = (share = new MemoryShare(1 << 20, () => 1)): KeyedRequests =>
  new KeyedRequests(REQUEST_RULES, WINDOW_MS, share);

const mark = (id: string, revision: number, origin = revision * MS): RequestMark => ({
  id,
  origin,
  revision,
  version: revision,
});
const row = (...requests: RequestMark[]): Row => ({
  key: 'k',
  value: new Uint8Array(),
  contentType: '',
  revision: requests.at(-1)?.revision ?? 0,
  version: 1,
  createdAt: 0,
  modifiedAt: 0,
  expiresAt: null,
  requests,
  requestFloor: 0,
});

describe('KeyedRequests', () => {
  it('is complete for nothing until it begins, and again when the rows are replaced', () => {
    const keyed = keyedRequests();
    expect(keyed.floorOf('k')).toBe(Number.POSITIVE_INFINITY);
    keyed.begin(5, 1);
    keyed.begin(9, 1);
    expect(keyed.floorOf('k')).toBe(5);
    keyed.addAll(row(mark('key:a', 1)), 0);
    keyed.restart();
    expect(keyed.get('key:a')).toBeUndefined();
    expect(keyed.floorOf('k')).toBe(Number.POSITIVE_INFINITY);
  });

  it('is complete from the beginning where nothing was written before', () => {
    const keyed = keyedRequests();
    keyed.begin(5, 0);
    expect(keyed.floorOf('k')).toBe(0);
    expect(keyed.tell()?.floor).toBe(0);
  });

  it('knows all of a key that had forgotten nothing when it was first seen', () => {
    const keyed = keyedRequests();
    keyed.begin(100 * MS, 1);
    keyed.addAll(row(mark('a', 1, 90 * MS)), 0);
    keyed.addAll({ ...row(mark('a', 1, 90 * MS)), key: 'old', requestFloor: 80 * MS }, 0);
    keyed.addAll({ ...row(mark('b', 9, 120 * MS)), requestFloor: 95 * MS }, 0);
    expect(keyed.floorOf('k')).toBe(0);
    expect(keyed.floorOf('old')).toBe(80 * MS);
    expect(keyed.floorOf('unseen')).toBe(100 * MS);
  });

  it('remembers keyed writes only', () => {
    const keyed = keyedRequests();
    keyed.addAll(row(mark('key:a', 1), mark('b', 2)), 0);
    expect(keyed.get('key:a')).toMatchObject({ revision: 1 });
    expect(keyed.get('b')).toBeUndefined();
  });

  it('takes earlier writes from the first row of a key, and from no later one', () => {
    const keyed = keyedRequests();
    keyed.begin(MS, 5);
    keyed.addAll(row(mark('key:before', 3), mark('key:a', 7)), 6);
    keyed.addAll(row(mark('key:earlier', 4), mark('key:b', 8)), 7);
    expect(['key:before', 'key:a', 'key:earlier', 'key:b'].map((id) => keyed.get(id)?.revision)).toEqual([
      3,
      7,
      undefined,
      8,
    ]);
  });

  it('forgets what no client may repeat any more, and what is too much, and says so', () => {
    const keyed = keyedRequests();
    keyed.begin(0, 1);
    keyed.addAll(row(mark('key:old', 1, 10 * MS)), 0);
    keyed.addAll(row(mark('key:new', 2, (WINDOW_MS + 11) * MS)), 0);
    expect(keyed.get('key:old')).toBeUndefined();
    expect(keyed.floorOf('k')).toBe(10 * MS);
    for (let i = 0; i < 5_000; i += 1)
      keyed.addAll(row(mark(`key:${i}`, 3 + i, (WINDOW_MS + 12) * MS + i)), 0);
    expect(keyed.get('key:0')).toBeUndefined();
    expect(keyed.get('key:4999')).toBeDefined();
    expect(keyed.floorOf('k')).toBeGreaterThanOrEqual((WINDOW_MS + 12) * MS);
  });

  it('shares a bound in bytes with the other partitions, and says what it forgot for it', () => {
    const share = new MemoryShare(64 * 1024, () => 16);
    const all = Array.from({ length: 16 }, () => keyedRequests(share));
    for (const keyed of all) keyed.begin(MS, 1);
    for (let i = 0; i < 3_000; i += 1)
      for (const keyed of all) keyed.addAll({ ...row(mark(`key:${i}`, 3 + i, 2 * MS + i)), key: `k${i}` }, 0);
    expect(share.heldBytes).toBeGreaterThan(32 * 1024);
    expect(share.heldBytes).toBeLessThanOrEqual(2 * 64 * 1024);
    for (const keyed of all) {
      expect(keyed.get('key:2999')).toBeDefined();
      expect(keyed.floorOf('unseen')).toBeGreaterThan(2 * MS);
      keyed.restart();
    }
    expect(share.heldBytes).toBe(0);
  });

  it('gives back what it no longer remembers, by whatever way that went', () => {
    const share = new MemoryShare(1 << 20, () => 1);
    const keyed = keyedRequests(share);
    keyed.begin(0, 1);
    keyed.addAll(row(mark('key:a', 1, MS)), 0);
    keyed.addAll(row(mark('key:b', 2, MS)), 0);
    keyed.dropPast(1);
    keyed.addAll({ ...row(mark('key:c', 3, 3 * WINDOW_MS * MS)), modifiedAt: 3 * WINDOW_MS * MS }, 0);
    const one = share.heldBytes;
    keyed.dropPast(0);
    expect(one).toBeGreaterThan(0);
    expect(share.heldBytes).toBe(0);
  });

  const remembering = (begunAt: number, begunPast: number, ...marks: RequestMark[]): KeyedRequests => {
    const keyed = keyedRequests();
    keyed.begin(begunAt * MS, begunPast);
    for (const one of marks) keyed.addAll(row(one), 0);
    return keyed;
  };

  it('is as complete as what another tells of the same history', () => {
    const told = remembering(1, 1, mark('key:a', 4), mark('key:b', 5), mark('key:ahead', 8)).tell();
    if (told === null) throw new Error('nothing told');
    const keyed = remembering(7, 5, mark('key:c', 6), mark('key:b', 5));
    keyed.recall(told, { end: 7, toldUpTo: 8 });
    expect(keyed.floorOf('unseen')).toBe(1 * MS);
    expect(['a', 'b', 'c', 'ahead'].map((id) => keyed.get(`key:${id}`)?.revision)).toEqual([
      4,
      5,
      6,
      undefined,
    ]);
    expect(keyed.tell()?.marks.map(({ revision }) => revision)).toEqual([4, 5, 6]);
  });

  it('begins with what another tells, and gives it back', () => {
    const share = new MemoryShare(1 << 20, () => 1);
    const keyed = keyedRequests(share);
    expect(keyed.tell()).toBeNull();
    keyed.recall({ floor: 3 * MS, marks: [mark('key:a', 4)] }, { end: 4, toldUpTo: 4 });
    expect(keyed.floorOf('k')).toBe(3 * MS);
    keyed.begin(9 * MS, 4);
    expect(keyed.floorOf('k')).toBe(3 * MS);
    keyed.restart();
    expect(share.heldBytes).toBe(0);
  });

  it('does not count what another tells where writes passed that neither has seen', () => {
    const told = { floor: 1 * MS, marks: [mark('key:a', 4)] };
    const late = remembering(7, 6);
    late.recall(told, { end: 7, toldUpTo: 5 });
    expect(late.floorOf('k')).toBe(7 * MS);
    expect(late.get('key:a')).toBeUndefined();
    const fresh = keyedRequests();
    fresh.recall(told, { end: 6, toldUpTo: 5 });
    expect(fresh.floorOf('k')).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not reach over a hole behind what was told before', () => {
    const keyed = keyedRequests();
    expect(keyed.recall({ floor: 5, marks: [] }, { end: 6, toldUpTo: 6 })).toBe(true);
    expect(keyed.recall({ floor: 1, marks: [] }, { end: 6, toldUpTo: 5 })).toBe(false);
    expect(keyed.floorOf('k')).toBe(5);
  });

  it('counts what it is told twice once', () => {
    const share = new MemoryShare(1 << 20, () => 1);
    const keyed = keyedRequests(share);
    const told = { floor: 1, marks: Array.from({ length: 50 }, () => mark('key:a', 4)) };
    keyed.recall(told, { end: 4, toldUpTo: 4 });
    const once = share.heldBytes;
    keyed.recall(told, { end: 4, toldUpTo: 4 });
    expect(share.heldBytes).toBe(once);
    keyed.dropPast(0);
    expect(share.heldBytes).toBe(0);
  });

  it('tells what fell off the bounded memory as forgotten', () => {
    const keyed = remembering(1, 1);
    for (let i = 0; i < 5_000; i += 1) keyed.addAll(row(mark(`key:${i}`, 3 + i, 100 * MS + i)), 0);
    const told = keyed.tell();
    expect(told?.floor).toBe(keyed.floorOf('unseen'));
    expect(told?.marks[0]?.id).toBe(`key:${5_000 - (told?.marks.length ?? 0)}`);
    expect(told?.floor).toBe(100 * MS + 5_000 - (told?.marks.length ?? 0) - 1);
  });

  it('drops what was given up before it became part of the history', () => {
    const keyed = keyedRequests();
    keyed.addAll(row(mark('key:sent', 4), mark('key:open', 5)), 0);
    keyed.dropPast(4);
    expect(keyed.get('key:sent')).toBeDefined();
    expect(keyed.get('key:open')).toBeUndefined();
  });
});

describe('earliestAttempt', () => {
  it('is the origin, but for a keyed write anything up to the window before it', () => {
    expect(earliestAttempt('a', 5_000 * MS, WINDOW_MS)).toBe(5_000 * MS);
    expect(earliestAttempt('key:a', 5_000 * MS, WINDOW_MS)).toBe(4_000 * MS);
  });
});

describe('hidesKeyedWrite', () => {
  const batchWith = (present: Row): OpenBatch => {
    const rows = new NewestByKey<Row>();
    rows.put(present);
    return { rows, after: 10, lastRevision: 12, bytes: 0 };
  };

  it('is so when a keyed write of the same batch has fallen off the row', () => {
    const present = row(mark('key:a', 11), mark('b', 12));
    expect(hidesKeyedWrite(batchWith(present), row(mark('b', 12), mark('c', 13)))).toBe(true);
    expect(hidesKeyedWrite(batchWith(present), row(mark('key:a', 11), mark('b', 12), mark('c', 13)))).toBe(
      false,
    );
  });

  it('is not for writes of earlier batches, and not for others', () => {
    expect(hidesKeyedWrite(batchWith(row(mark('key:a', 10), mark('b', 12))), row(mark('c', 13)))).toBe(false);
  });
});
