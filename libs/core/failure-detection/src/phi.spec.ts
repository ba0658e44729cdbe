import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { IntervalWindow } from './interval-window.js';
import { phi } from './phi.js';

interface KnownAnswers {
  akka: {
    phi_of_timeDiff_mean_std: { d: number; mean: number; std: number; phi: number; tol: number }[];
    cdf_1_minus_10_pow_minus_phi: { d: number; mean: number; std: number; cdf: number; tol: number }[];
    history: { samples: number[]; cap: number; mean: number; variance: number }[];
  };
}

const { akka } = JSON.parse(
  readFileSync(new URL('../../../testing/fixtures/known-answers/phi.json', import.meta.url), 'utf8'),
) as KnownAnswers;

describe('phi', () => {
  it.each(akka.phi_of_timeDiff_mean_std)(
    "of $d ms, mean $mean, deviation $std is Akka's $phi",
    ({ d, mean, std, phi: expected, tol }) => {
      const value = phi(d, { meanMs: mean, deviationMs: std });
      expect(Math.abs(value - expected)).toBeLessThanOrEqual(tol);
    },
  );

  it.each(akka.cdf_1_minus_10_pow_minus_phi)(
    'gives the normal distribution: $d ms, mean $mean, deviation $std is $cdf',
    ({ d, mean, std, cdf, tol }) => {
      const value = 1 - 10 ** -phi(d, { meanMs: mean, deviationMs: std });
      expect(Math.abs(value - cdf)).toBeLessThanOrEqual(tol);
    },
  );

  it('grows with the silence and stays finite', () => {
    const silences = fc.float({ min: 0, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(silences, silences, (a, b) => {
        const statistics = { meanMs: 250, deviationMs: 100 };
        const [less, more] = [phi(Math.min(a, b), statistics), phi(Math.max(a, b), statistics)];
        expect(less).toBeGreaterThanOrEqual(0);
        expect(more).toBeGreaterThanOrEqual(less);
        expect(Number.isFinite(more)).toBe(true);
      }),
    );
  });
});

describe('IntervalWindow', () => {
  it.each(akka.history)(
    'of $cap over $samples has mean $mean and variance $variance',
    ({ samples, cap, mean, variance }) => {
      const window = new IntervalWindow(cap);
      for (const sample of samples) window.add(sample);
      const { meanMs, deviationMs } = window.statistics();
      expect(meanMs).toBeCloseTo(mean, 4);
      expect(deviationMs ** 2).toBeCloseTo(variance, 4);
    },
  );
});
