/**
 * Numbers for generations of rows and for copies, never used before, also not by an earlier incarnation: incarnation x
 * 65536 + a counter (docs/PROTOCOL.md 4.0). A generation that was used twice would mix the rows of two histories.
 */
import { invariant, type Incarnation } from '@ringleader/primitives';

const PER_INCARNATION = 65_536;

/** The incarnation in which it began: numbers of one go from one past its multiple to the next multiple. */
export function lifeOf(generation: number): Incarnation {
  return Math.floor((generation - 1) / PER_INCARNATION);
}

/** A shard that has used up its incarnation's numbers ends here, and goes on with those of the next one. */
export function generationsOf(incarnation: Incarnation): () => number {
  let used = 0;
  return () => {
    used += 1;
    invariant(used <= PER_INCARNATION, 'the 65,537th generation of an incarnation belongs to the next one');
    return incarnation * PER_INCARNATION + used;
  };
}
