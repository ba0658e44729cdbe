/**
 * Equal requests go to the same target as long as they can, whoever else comes or goes (Karger et al. 1997): each target
 * stands at many points of a circle, and the next one clockwise from the request's own point takes it. A target that has
 * more than its part under way already is passed by (Mirrokni, Thorup, Zadimoghaddam, "Consistent hashing with bounded
 * loads", 2016): what everybody asks for would else be too much for one.
 *
 * Lists of candidates are short and differ from call to call, so the circle is never put together: the next point of each
 * candidate is looked up among its own, and the nearest of these is what stands first on the common circle.
 */
import { xxh64 } from '@ringleader/hash-ring';
import { BoundedMemory } from './bounded-memory.js';
import type { Asked, Candidate, CandidateId, Strategy } from './candidate.js';
import { byWeight } from './random.js';
import type { TargetLoads } from './target-loads.js';

const CIRCLE = 2 ** 32;
/** 128 for a weight of 1: of three alike targets each gets a third, give or take a seventh of it. */
const POINTS_PER_WEIGHT = 128;
/** A candidate of a very great weight among others of very great weights needs no more than this. */
const POINTS_MAX = 4_096;
/** So much more than its share of what is under way a target may have: the paper's 1 + epsilon, as Envoy and HAProxy suggest. */
const BOUND = 1.25;

export function ringHash(loads: TargetLoads): Strategy {
  const pointsOf = rememberedPoints();
  return <C extends Candidate>(candidates: readonly [C, ...C[]], { hash }: Asked): C => {
    const byDistance = candidates
      .map((candidate) => ({ candidate, distance: distanceTo(pointsOf(candidate), hash) }))
      .sort((a, b) => a.distance - b.distance);
    const total = candidates.reduce((sum, { id }) => sum + loads.inFlight(id), 1);
    const shares = candidates.reduce((sum, candidate) => sum + byWeight(candidate), 0);
    const isFree = (candidate: C): boolean =>
      loads.inFlight(candidate.id) < Math.ceil((BOUND * total * byWeight(candidate)) / shares);
    // Not all can be above their shares.
    return (byDistance.find(({ candidate }) => isFree(candidate)) ?? byDistance[0]!).candidate;
  };
}

/** Clockwise from the hash to the nearest of the sorted points. */
function distanceTo(points: Uint32Array, hash: number): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (points[middle]! < hash) low = middle + 1;
    else high = middle;
  }
  return low < points.length ? points[low]! - hash : points[0]! + CIRCLE - hash;
}

/** With a greater weight come further points, and the others stay: only what falls to the new ones moves. */
function rememberedPoints(): (candidate: Candidate) => Uint32Array {
  const remembered = new BoundedMemory<CandidateId, Uint32Array>();
  return (candidate) => {
    const count = Math.min(POINTS_MAX, Math.max(1, Math.round(byWeight(candidate) * POINTS_PER_WEIGHT)));
    const known = remembered.get(candidate.id);
    if (known?.length === count) return known;
    const points = Uint32Array.from({ length: count }, (_, i) =>
      Number(BigInt.asUintN(32, xxh64(`${candidate.id}#${i}`))),
    ).sort();
    remembered.set(candidate.id, points);
    return points;
  };
}
