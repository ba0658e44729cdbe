import { describe, expect, it } from '@jest/globals';
import { seededPrng } from '@ringleader/primitives';
import fc from 'fast-check';
import { countVotes, majorityOf, quorumIndex } from './quorum.js';

const memberCounts = fc.integer({ min: 1, max: 9 });

describe('majorityOf', () => {
  it('is the smallest number of which any two sets share a member', () => {
    for (let count = 1; count <= 9; count += 1) {
      const quorum = majorityOf(count);
      expect(2 * quorum).toBeGreaterThan(count);
      expect(2 * (quorum - 1)).toBeLessThanOrEqual(count);
    }
  });
});

describe('quorumIndex', () => {
  it('agrees with trying every index', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 9 }), (matches) => {
        const quorum = majorityOf(matches.length);
        let obvious = 0;
        for (let index = 0; index <= 20; index += 1) {
          if (matches.filter((match) => match >= index).length >= quorum) obvious = index;
        }
        expect(quorumIndex(matches, quorum)).toBe(obvious);
      }),
    );
  });

  it('never goes back when a member goes forward', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { minLength: 1, maxLength: 9 }),
        fc.nat(8),
        fc.nat(5),
        (matches, who, by) => {
          const quorum = majorityOf(matches.length);
          const later = matches.map((match, i) => (i === who ? match + by : match));
          expect(quorumIndex(later, quorum)).toBeGreaterThanOrEqual(quorumIndex(matches, quorum));
        },
      ),
    );
  });
});

describe('countVotes', () => {
  it('is decided as soon as, and only when, no further vote can change it', () => {
    fc.assert(
      fc.property(
        memberCounts,
        fc.array(fc.constantFrom(true, false, null), { minLength: 9, maxLength: 9 }),
        (count, cast) => {
          const members = Array.from({ length: count }, (_, i) => i + 1);
          const votes = new Map<number, boolean>();
          members.forEach((member, i) => {
            const vote = cast[i];
            if (vote === true || vote === false) votes.set(member, vote);
          });
          const open = members.filter((member) => !votes.has(member));
          const possible = new Set<boolean>();
          for (let bits = 0; bits < 2 ** open.length; bits += 1) {
            const granted =
              [...votes.values()].filter(Boolean).length + open.filter((_, i) => (bits >> i) & 1).length;
            possible.add(2 * granted > count);
          }
          const obvious = possible.size === 2 ? 'pending' : possible.has(true) ? 'won' : 'lost';
          expect(countVotes(members, votes, majorityOf(count))).toBe(obvious);
        },
      ),
    );
  });

  it('ignores the votes of strangers', () => {
    const random = seededPrng(1);
    const votes = new Map(Array.from({ length: 20 }, () => [10 + random.nextBelow(20), true] as const));
    expect(countVotes([1, 2, 3], votes, 2)).toBe('pending');
  });
});
