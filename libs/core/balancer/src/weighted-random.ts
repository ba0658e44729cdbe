import type { Prng } from '@ringleader/primitives';
import type { Candidate } from './candidate.js';

/** Each with a probability proportional to its weight: a point on the line on which the weights lie end to end. */
export function pickWeightedRandom<C extends Candidate>(candidates: readonly [C, ...C[]], prng: Prng): C {
  const total = candidates.reduce((sum, { weight }) => sum + weight, 0);
  let left = prng.nextFloat() * total;
  for (const candidate of candidates) {
    left -= candidate.weight;
    if (left < 0) return candidate;
  }
  // Rounding can leave a last sliver beyond the end.
  return candidates.at(-1)!;
}
