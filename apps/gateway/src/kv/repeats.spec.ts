import { describe, expect, it } from '@jest/globals';
import type { Outcome } from '../routing/in-flight.js';
import { Repeats } from './repeats.js';

const WRITTEN = {
  kind: 'answered',
  reply: {
    kind: 'written',
    token: 0,
    revision: 2,
    version: 3,
    created: true,
    createdAt: 4.5,
    modifiedAt: 6e15,
  },
  servedBy: 7,
} as const satisfies Outcome;
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

  it('gives the answer that there was, though another attempt has ended without one since', () => {
    const repeats = new Repeats(4);
    repeats.remember('a', 7, WRITTEN);
    repeats.remember('b', 8, WRITTEN);
    repeats.remember('a', 7, UNKNOWN);
    expect(repeats.find('a')).toEqual({ origin: 7, answer: WRITTEN });
  });

  it('remembers as many as it may', () => {
    const repeats = new Repeats(100_000);
    for (let id = 0; id < 40_000; id++) {
      const reply = { ...WRITTEN.reply, revision: id, created: id % 2 === 0 };
      repeats.remember(String(id), id, { ...WRITTEN, reply });
    }
    for (const id of [0, 255, 256, 39_999]) {
      expect(repeats.find(String(id))).toMatchObject({
        origin: id,
        answer: { reply: { revision: id, version: 3, created: id % 2 === 0 } },
      });
    }
  });

  it.each([0, 1])('remembers nothing where it may remember %i', (max) => {
    const repeats = new Repeats(max);
    repeats.remember('a', 1, WRITTEN);
    expect(repeats.find('a')).toBeNull();
  });
});
