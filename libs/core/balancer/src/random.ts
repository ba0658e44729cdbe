import type { Prng } from '@ringleader/primitives';
import type { Candidate } from './candidate.js';

export function pickRandom<C extends Candidate>(candidates: readonly [C, ...C[]], prng: Prng): C {
  return candidates[prng.nextBelow(candidates.length)]!;
}
