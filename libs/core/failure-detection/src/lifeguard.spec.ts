import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { LocalHealth } from './local-health.js';
import { suspicionTimeoutMs } from './suspicion.js';

const known = JSON.parse(
  readFileSync(new URL('../../../testing/fixtures/known-answers/swim.json', import.meta.url), 'utf8'),
) as {
  remaining_suspicion_ms: {
    n: number;
    k: number;
    elapsed: number;
    min: number;
    max: number;
    expected: number;
  }[];
  awareness_max8: { delta: number; score: number; timeout_s: number }[];
  suspicion_timer_k3_min500_max2000: { confirm: string[]; fires_ms: number }[];
};

describe('suspicionTimeoutMs', () => {
  it.each(known.remaining_suspicion_ms)(
    "with $n of $k confirmations leaves memberlist's $expected ms after $elapsed ms",
    ({ n, k, elapsed, min, max, expected }) => {
      const timeout = suspicionTimeoutMs(n, { confirmationsExpected: k, minMs: min, maxMs: max });
      expect(timeout - elapsed).toBe(expected);
    },
  );

  it.each(known.suspicion_timer_k3_min500_max2000)(
    'after $confirm is $fires_ms ms',
    ({ confirm, fires_ms: firesMs }) => {
      // `me` is the one that began the suspicion.
      const confirmations = new Set(confirm.filter((name) => name !== 'me')).size;
      const timeout = suspicionTimeoutMs(confirmations, {
        confirmationsExpected: 3,
        minMs: 500,
        maxMs: 2000,
      });
      // A real timer in that test, which allows for more than this.
      expect(Math.abs(timeout - firesMs)).toBeLessThanOrEqual(1);
    },
  );

  it('is the shortest where nobody could confirm', () => {
    expect(suspicionTimeoutMs(0, { confirmationsExpected: 0, minMs: 500, maxMs: 2000 })).toBe(500);
  });
});

describe('LocalHealth', () => {
  it("takes the steps of memberlist's awareness", () => {
    const health = new LocalHealth(8);
    for (const { delta, score, timeout_s: timeoutSeconds } of known.awareness_max8) {
      health.apply(delta);
      expect({ delta, score: health.score, timeout: health.scale(1000) }).toEqual({
        delta,
        score,
        timeout: timeoutSeconds * 1000,
      });
    }
  });
});
