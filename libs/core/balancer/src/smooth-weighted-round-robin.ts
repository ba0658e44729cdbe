import { BoundedMemory } from './bounded-memory.js';
import type { Candidate, CandidateId, Strategy } from './candidate.js';
import { byWeight } from './random.js';

/**
 * nginx's algorithm: everyone gains its weight, the richest is picked and pays what all gained together. In every cycle each
 * has as many turns as its weight, and a heavy one's turns are spread out between the others'.
 */
export function smoothWeightedRoundRobin(): Strategy {
  const credits = new BoundedMemory<CandidateId, number>();
  return <C extends Candidate>(candidates: readonly [C, ...C[]]): C => {
    let picked = candidates[0];
    let best = Number.NEGATIVE_INFINITY;
    let total = 0;
    for (const candidate of candidates) {
      const share = byWeight(candidate);
      const credit = (credits.get(candidate.id) ?? 0) + share;
      credits.set(candidate.id, credit);
      total += share;
      if (credit > best) {
        best = credit;
        picked = candidate;
      }
    }
    credits.set(picked.id, best - total);
    return picked;
  };
}
