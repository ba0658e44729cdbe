/**
 * Which of several equally good targets takes the next request. A strategy keeps its own small state, counts on nothing
 * about the list it is given next time, and is one of the few objects in the cores that is called per request.
 */
import type { Prng } from '@ringleader/primitives';
import type { Candidate, Strategy } from './candidate.js';
import { pickRandom } from './random.js';
import { roundRobin } from './round-robin.js';
import { smoothWeightedRoundRobin } from './smooth-weighted-round-robin.js';
import { pickWeightedRandom } from './weighted-random.js';

export const BALANCER_STRATEGIES = [
  'round-robin',
  'random',
  'weighted-random',
  'smooth-weighted-round-robin',
] as const;
export type BalancerStrategy = (typeof BALANCER_STRATEGIES)[number];

export interface Balancer {
  /**
   * Undefined only for an empty list. Suspects are picked only when there is nobody else: a verdict is advice, and a
   * wrong one about everybody must not stop all traffic.
   */
  pick<C extends Candidate>(candidates: readonly C[]): C | undefined;
}

export function createBalancer(strategy: BalancerStrategy, prng: Prng): Balancer {
  const choose = createStrategy(strategy, prng);
  return {
    pick(candidates) {
      const trusted = candidates.some(({ suspect }) => suspect)
        ? candidates.filter(({ suspect }) => !suspect)
        : candidates;
      const list = trusted.length > 0 ? trusted : candidates;
      return isNonEmpty(list) ? choose(list) : undefined;
    },
  };
}

function createStrategy(strategy: BalancerStrategy, prng: Prng): Strategy {
  switch (strategy) {
    case 'round-robin':
      return roundRobin();
    case 'random':
      return (candidates) => pickRandom(candidates, prng);
    case 'weighted-random':
      return (candidates) => pickWeightedRandom(candidates, prng);
    case 'smooth-weighted-round-robin':
      return smoothWeightedRoundRobin();
  }
}

function isNonEmpty<T>(list: readonly T[]): list is readonly [T, ...T[]] {
  return list.length > 0;
}
