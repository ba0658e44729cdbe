/**
 * How unlikely the present silence is (Hayashibara et al., "The phi accrual failure detector", 2004): phi = -log10 of the
 * probability that a live member's next heartbeat would come this late or later, intervals being normally distributed.
 * A suspicion at phi 8 is wrong once in 10^8 heartbeats, as far as the distribution holds.
 */
export interface IntervalStatistics {
  readonly meanMs: number;
  readonly deviationMs: number;
}

/** The logistic approximation of the normal distribution's tail that Akka uses, in a form that cannot overflow. */
export function phi(silenceMs: number, { meanMs, deviationMs }: IntervalStatistics): number {
  const y = (silenceMs - meanMs) / deviationMs;
  const exponent = y * (1.5976 + 0.070566 * y * y);
  return (Math.max(exponent, 0) + Math.log1p(Math.exp(-Math.abs(exponent)))) / Math.LN10;
}

/** The silence at which phi has this value, in deviations beyond the mean. */
export function deviationsAt(value: number): number {
  const exponent = Math.log(10 ** value - 1);
  let y = 1;
  // Newton's method on a strictly rising cubic: it converges from anywhere.
  for (let i = 0; i < 50; i++) {
    y -= (y * (1.5976 + 0.070566 * y * y) - exponent) / (1.5976 + 3 * 0.070566 * y * y);
  }
  return y;
}
