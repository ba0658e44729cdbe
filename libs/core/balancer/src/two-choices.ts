import type { Prng } from '@ringleader/primitives';
import type { Candidate, Strategy } from './candidate.js';
import { byWeight, pickRandom } from './random.js';
import type { TargetLoads } from './target-loads.js';

/**
 * Two at random, and of these the one that costs less: nearly as even as asking all for the least loaded, and gateways that
 * know nothing of each other do not all run to the same one (Mitzenmacher, "The power of two choices in randomized load
 * balancing", 2001). Both are drawn in proportion to the weights, and what is in flight is taken relative to them
 * (Berenbrink et al., "Balls into non-uniform bins", 2014).
 */
export function twoChoices(loads: TargetLoads, prng: Prng): Strategy {
  return <C extends Candidate>(candidates: readonly [C, ...C[]], { now }: { readonly now: number }): C => {
    const cost = (candidate: C): number => loads.cost(candidate.id, byWeight(candidate), now);
    const one = pickRandom(candidates, byWeight, prng);
    const [first, ...others] = candidates.filter((candidate) => candidate !== one);
    if (first === undefined) return one;
    const other = pickRandom([first, ...others], byWeight, prng);
    return cost(other) < cost(one) ? other : one;
  };
}
