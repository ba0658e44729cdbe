import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jointIndex, jointVote } from './joint.js';
import { majorityIndex, majorityOf, majorityVote } from './majority.js';

const INDEX_MAX = 12;
/** Up to seven of nine, in any order: two of them share members or do not. */
const voterSets = fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 7 }), {
  minLength: 1,
  maxLength: 2,
});
const castVotes = fc
  .array(fc.constantFrom(true, false, null), { minLength: 9, maxLength: 9 })
  .map((cast) => new Map(cast.flatMap((vote, i) => (vote === null ? [] : [[i + 1, vote] as const]))));
const matches = fc
  .array(fc.nat(INDEX_MAX), { minLength: 9, maxLength: 9 })
  .map((list) => (voter: number) => list[voter - 1]!);

/** By trying out every way in which those who are silent might still vote. */
function obviousVote(sets: readonly number[][], votes: ReadonlyMap<number, boolean>): string {
  const open = [...new Set(sets.flat())].filter((voter) => !votes.has(voter));
  const outcomes = new Set<boolean>();
  for (let bits = 0; bits < 2 ** open.length; bits += 1) {
    const granted = (voter: number): boolean => votes.get(voter) ?? ((bits >> open.indexOf(voter)) & 1) === 1;
    outcomes.add(sets.every((set) => 2 * set.filter(granted).length > set.length));
  }
  if (outcomes.size === 2) return 'pending';
  return outcomes.has(true) ? 'won' : 'lost';
}

/** By trying every index. */
function obviousIndex(sets: readonly number[][], matchOf: (voter: number) => number): number {
  let highest = 0;
  for (let index = 0; index <= INDEX_MAX; index += 1) {
    const isThere = (voter: number): boolean => matchOf(voter) >= index;
    if (sets.every((set) => 2 * set.filter(isThere).length > set.length)) highest = index;
  }
  return highest;
}

describe('majorityOf', () => {
  it('is the smallest number of which any two sets share a member', () => {
    for (let count = 1; count <= 9; count += 1) {
      const quorum = majorityOf(count);
      expect(2 * quorum).toBeGreaterThan(count);
      expect(2 * (quorum - 1)).toBeLessThanOrEqual(count);
    }
  });
});

describe('votes', () => {
  it('of one set, and of two at once, are decided as soon as, and only when, no further vote can change it', () => {
    fc.assert(
      fc.property(voterSets, castVotes, (sets, votes) => {
        expect(jointVote(sets, votes, majorityOf)).toBe(obviousVote(sets, votes));
        const [first] = sets;
        expect(majorityVote(first!, votes, majorityOf)).toBe(obviousVote([first!], votes));
      }),
      { numRuns: 500 },
    );
  });

  it('are never won where nobody votes', () => {
    expect(jointVote([], new Map(), majorityOf)).toBe('pending');
    expect(jointVote([[]], new Map([[1, true]]), majorityOf)).toBe('lost');
  });
});

describe('the index that voters agree on', () => {
  it('is, in one set and in two at once, the highest that a majority of each has reached', () => {
    fc.assert(
      fc.property(voterSets, matches, (sets, matchOf) => {
        expect(jointIndex(sets, matchOf, majorityOf)).toBe(obviousIndex(sets, matchOf));
        const [first] = sets;
        expect(majorityIndex(first!, matchOf, majorityOf)).toBe(obviousIndex([first!], matchOf));
      }),
      { numRuns: 500 },
    );
  });

  it('never goes back when a member goes forward', () => {
    fc.assert(
      fc.property(voterSets, matches, fc.integer({ min: 1, max: 9 }), fc.nat(5), (sets, matchOf, who, by) => {
        const later = (voter: number): number => matchOf(voter) + (voter === who ? by : 0);
        expect(jointIndex(sets, later, majorityOf)).toBeGreaterThanOrEqual(
          jointIndex(sets, matchOf, majorityOf),
        );
      }),
    );
  });

  it('is nothing where nobody votes', () => {
    expect(jointIndex([], () => 7, majorityOf)).toBe(0);
    expect(jointIndex([[]], () => 7, majorityOf)).toBe(0);
  });
});
