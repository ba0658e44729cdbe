import { BoundedMemory } from './bounded-memory.js';
import type { Candidate, CandidateId, Strategy } from './candidate.js';

/**
 * Takes the candidate whose last turn is longest ago. For a list that never changes that is round robin; unlike a counter
 * modulo the length it stays even when every request comes with another list, as reads of many partitions do. For one that
 * is brought back gradually a turn counts as less long ago than it is, so that it waits longer for the next.
 */
export function roundRobin(): Strategy {
  const lastTurns = new BoundedMemory<CandidateId, number>();
  let turn = 0;
  return <C extends Candidate>(candidates: readonly [C, ...C[]]): C => {
    turn += 1;
    const waited = ({ id, ramp }: C): number => (turn - (lastTurns.get(id) ?? 0)) * ramp;
    const picked = candidates.reduce((longest, other) => (waited(other) > waited(longest) ? other : longest));
    lastTurns.set(picked.id, turn);
    return picked;
  };
}
