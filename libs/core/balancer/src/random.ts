import type { Prng } from '@ringleader/primitives';
import type { Candidate } from './candidate.js';

export type Share = (candidate: Candidate) => number;

/** All alike, but for those that are brought back gradually. */
export const alike: Share = ({ ramp }) => ramp;
export const byWeight: Share = ({ weight, ramp }) => weight * ramp;

/** Each with a probability proportional to its share: a point on the line on which the shares lie end to end. */
export function pickRandom<C extends Candidate>(
  candidates: readonly [C, ...C[]],
  share: Share,
  prng: Prng,
): C {
  const total = candidates.reduce((sum, candidate) => sum + share(candidate), 0);
  let left = prng.nextFloat() * total;
  for (const candidate of candidates) {
    left -= share(candidate);
    if (left < 0) return candidate;
  }
  // Rounding can leave a last sliver beyond the end.
  return candidates.at(-1)!;
}
