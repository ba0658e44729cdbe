import { describe, expect, it } from '@jest/globals';
import { comparePositions, makeBallot, ownerOf, roundOf, samePosition } from './ballot.js';

describe('ballots and positions', () => {
  it('packs round and ordinal', () => {
    const ballot = makeBallot(70_000, 65_535);
    expect(roundOf(ballot)).toBe(70_000);
    expect(ownerOf(ballot)).toBe(65_535);
    expect(Number.isSafeInteger(makeBallot(2 ** 36, 65_535))).toBe(true);
  });

  it('compares by ballot first, however many revisions the other has', () => {
    expect(comparePositions({ ballot: 2, revision: 1 }, { ballot: 1, revision: 900 })).toBeGreaterThan(0);
    expect(comparePositions({ ballot: 2, revision: 1 }, { ballot: 2, revision: 3 })).toBeLessThan(0);
    expect(samePosition({ ballot: 2, revision: 1 }, { ballot: 2, revision: 1 })).toBe(true);
  });
});
