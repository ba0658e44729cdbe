import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../routing/in-flight.js';
import { Repeats } from './repeats.js';

const WRITTEN: Outcome = {
  kind: 'answered',
  reply: { kind: 'written', token: 1, revision: 1, version: 1, created: true, createdAt: 1, modifiedAt: 1 },
  servedBy: 1,
};
const UNKNOWN: Outcome = { kind: 'failed', code: 'OUTCOME_UNKNOWN' };

describe('Repeats', () => {
  it('remembers the latest half of what it may at least, and never more than that', () => {
    const repeats = new Repeats(10);
    for (let last = 0; last < 40; last++) {
      repeats.remember(String(last), last, WRITTEN);
      const known = Array.from({ length: last + 1 }, (_, id) => repeats.find(String(id)) !== null);
      const count = known.filter(Boolean).length;
      expect(count).toBeLessThanOrEqual(10);
      expect(count).toBeGreaterThanOrEqual(Math.min(last + 1, 5));
      expect(known.lastIndexOf(false)).toBe(last - count);
    }
  });

  it('keeps the origin of the first attempt, and a success when there is one', () => {
    const repeats = new Repeats(4);
    repeats.remember('a', 7, UNKNOWN);
    expect(repeats.find('a')).toEqual({ origin: 7, answer: null });
    repeats.remember('b', 8, WRITTEN);
    const { origin } = repeats.find('a') ?? { origin: 0 };
    repeats.remember('a', origin, WRITTEN);
    repeats.remember('a', origin, UNKNOWN);
    expect(repeats.find('a')).toEqual({ origin: 7, answer: WRITTEN });
    expect(repeats.find('b')).toEqual({ origin: 8, answer: WRITTEN });
  });

  it.each([0, 1])('remembers nothing where it may remember %i', (max) => {
    const repeats = new Repeats(max);
    repeats.remember('a', 1, WRITTEN);
    expect(repeats.find('a')).toBeNull();
  });
});
