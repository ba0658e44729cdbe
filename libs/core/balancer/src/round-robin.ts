import { BoundedMemory } from './bounded-memory.js';
import type { Candidate, CandidateId, Strategy } from './candidate.js';

/**
 * Takes the candidate whose last turn is longest ago. For a list that never changes that is round robin; unlike a counter
 * modulo the length it stays even when every request comes with another list, as reads of many partitions do.
 */
export function roundRobin(): Strategy {
  const lastTurns = new BoundedMemory<CandidateId, number>();
  let turn = 0;
  return <C extends Candidate>(candidates: readonly [C, ...C[]]): C => {
    const lastTurn = ({ id }: C): number => lastTurns.get(id) ?? 0;
    const picked = candidates.reduce((oldest, other) =>
      lastTurn(other) < lastTurn(oldest) ? other : oldest,
    );
    turn += 1;
    lastTurns.set(picked.id, turn);
    return picked;
  };
}
