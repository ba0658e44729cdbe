/**
 * Which of several equally good targets takes the next request. A strategy keeps its own small state, counts on nothing
 * about the list it is given next time, and is one of the few objects in the cores that is called per request.
 */
import type { Prng } from '@ringleader/primitives';
import type { Asked, Candidate, Strategy } from './candidate.js';
import { alike, byWeight, pickRandom } from './random.js';
import { ringHash } from './ring-hash.js';
import { roundRobin } from './round-robin.js';
import { smoothWeightedRoundRobin } from './smooth-weighted-round-robin.js';
import type { TargetLoads } from './target-loads.js';
import { twoChoices } from './two-choices.js';

export const BALANCER_STRATEGIES = [
  'round-robin',
  'random',
  'weighted-random',
  'smooth-weighted-round-robin',
  'power-of-two-choices',
  'ring-hash',
] as const;
export type BalancerStrategy = (typeof BALANCER_STRATEGIES)[number];

export interface Balancer {
  /**
   * Undefined only for an empty list. Suspects are picked only when there is nobody else: a verdict is advice, and a
   * wrong one about everybody must not stop all traffic.
   */
  pick<C extends Candidate>(candidates: readonly C[], asked: Asked): C | undefined;
}

export interface BalancerIngredients {
  readonly prng: Prng;
  /** Kept up to date by whoever sends the requests. */
  readonly loads: TargetLoads;
}

export function createBalancer(strategy: BalancerStrategy, ingredients: BalancerIngredients): Balancer {
  const choose = createStrategy(strategy, ingredients);
  return {
    pick(candidates, asked) {
      const trusted = candidates.some(({ suspect }) => suspect)
        ? candidates.filter(({ suspect }) => !suspect)
        : candidates;
      const list = trusted.length > 0 ? trusted : candidates;
      return isNonEmpty(list) ? choose(list, asked) : undefined;
    },
  };
}

function createStrategy(strategy: BalancerStrategy, { prng, loads }: BalancerIngredients): Strategy {
  switch (strategy) {
    case 'round-robin':
      return roundRobin();
    case 'random':
      return (candidates) => pickRandom(candidates, alike, prng);
    case 'weighted-random':
      return (candidates) => pickRandom(candidates, byWeight, prng);
    case 'smooth-weighted-round-robin':
      return smoothWeightedRoundRobin();
    case 'power-of-two-choices':
      return twoChoices(loads, prng);
    case 'ring-hash':
      return ringHash(loads);
  }
}

function isNonEmpty<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0;
}
