import { describe, expect, it } from '@jest/globals';
import type { RowDigest } from '../storage.js';
import { differencesOf, type RangeView } from './compare.js';
import { digestOfRange } from './digests.js';

const row = (key: string, revision: number, changes: Partial<RowDigest> = {}): RowDigest => ({
  ...{ key, revision, live: true, digest: `${key}@${revision}` },
  ...changes,
});
const tombstone = (key: string, revision: number): RowDigest => row(key, revision, { live: false });
const view = (ordinal: number, revision: number, digests: RowDigest[], purgedTo = 0): RangeView => {
  return { ordinal, revision, purgedTo, digests };
};

describe('where replicas differ', () => {
  const three = ([a, b, c]: readonly [RowDigest[], RowDigest[], RowDigest[]], [ra, rb, rc] = [10, 10, 10]) =>
    differencesOf([view(1, ra, a), view(2, rb, b), view(3, rc, c)], 3);

  it.each([
    ['the same rows', [row('k', 5)], [row('k', 5)], [row('k', 5)]],
    ['a row that one of them wrote since', [row('k', 11)], [row('k', 5)], [row('k', 5)]],
    ['a row that is new at one of them', [row('k', 12)], [], []],
    ['a deletion since', [tombstone('k', 12)], [row('k', 5)], [row('k', 12)]],
  ])('they do not: %s', (_, a, b, c) => {
    expect(three([a, b, c], [12, 10, 12])).toEqual([]);
  });

  it.each([
    ['another content', row('k', 5, { digest: 'flipped' }), 'flipped'],
    ['an older row', row('k', 4), 'k@4'],
    ['a revision that nobody ever had', row('k', 99), 'k@99'],
  ])('they do: %s', (_, wrong, found) => {
    expect(three([[row('k', 5)], [wrong], [row('k', 5)]])).toEqual([
      { key: 'k', right: { found: 'k@5', holders: [1, 3] }, wrong: [{ ordinal: 2, found }] },
    ]);
  });

  it('a row that one lacks, and one that only one has', () => {
    expect(three([[row('a', 5)], [row('a', 5), row('b', 6)], []])).toEqual([
      { key: 'a', right: { found: 'a@5', holders: [1, 2] }, wrong: [{ ordinal: 3, found: null }] },
      { key: 'b', right: { found: null, holders: [1, 3] }, wrong: [{ ordinal: 2, found: 'b@6' }] },
    ]);
  });

  it('tombstones that are purged at some do not count', () => {
    const views = [view(1, 10, [tombstone('k', 5)]), view(2, 10, [], 7), view(3, 10, [], 7)];
    expect(differencesOf(views, 3)).toEqual([]);
    const live = [view(1, 10, [row('k', 5)]), view(2, 10, [], 7), view(3, 10, [], 7)];
    expect(differencesOf(live, 3)).toMatchObject([{ right: { found: null }, wrong: [{ ordinal: 1 }] }]);
  });

  it('a row may have gone by a purge of what came later', () => {
    const views = [view(1, 10, [row('k', 5)]), view(2, 14, [], 12), view(3, 14, [], 12)];
    expect(differencesOf(views, 3)).toEqual([]);
  });

  it('without a majority nobody is right', () => {
    expect(three([[row('k', 5)], [row('k', 4)], [row('k', 3)]])).toMatchObject([{ right: null }]);
    const two = [view(1, 10, [row('k', 5)]), view(2, 10, [row('k', 4)])];
    expect(differencesOf(two, 3)).toMatchObject([{ right: null, wrong: [{ ordinal: 1 }, { ordinal: 2 }] }]);
  });
});

describe('the digest of a range', () => {
  const hex = (n: number): string => n.toString(16).padStart(32, '7');
  const digests = [1, 2, 3].map((n) => row(`k${n}`, n, { digest: hex(n), live: n !== 1 }));

  it('is that of the rows which both have for certain', () => {
    const all = digestOfRange(digests, { upTo: 9, purgedTo: 0 });
    expect(digestOfRange([...digests].reverse(), { upTo: 9, purgedTo: 0 })).toBe(all);
    expect(digestOfRange(digests, { upTo: 2, purgedTo: 0 })).not.toBe(all);
    expect(digestOfRange(digests, { upTo: 9, purgedTo: 1 })).toBe(
      digestOfRange(digests.slice(1), { upTo: 9, purgedTo: 0 }),
    );
    const other = [...digests.slice(0, 2), row('k3', 3, { digest: hex(4) })];
    expect(digestOfRange(other, { upTo: 9, purgedTo: 0 })).not.toBe(all);
  });
});
