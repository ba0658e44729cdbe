/** What several rounds of the same measurement come to. */

/** The value in the middle of all rounds, with how far they went apart. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Rounds without the value, as the latency of no request, are left out. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.filter(Number.isFinite).toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** Round by round, so that what disturbed a round disturbed both sides of its ratio. */
export function ratioOf(values: readonly number[], reference: readonly number[]): Spread {
  const rounds = Math.min(values.length, reference.length);
  return spreadOf(
    Array.from({ length: rounds }, (_, i) => (values[i] ?? Number.NaN) / (reference[i] ?? Number.NaN)),
  );
}

/** Of a sorted list; the nearest rank. */
export function percentile(sorted: readonly number[], fraction: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * fraction) - 1)] ?? Number.NaN;
}

/** A B C, C B A, A B C, ...: what drifts while all of it runs favours nobody. */
export function interleaved<T>(targets: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? targets : targets.toReversed();
}
