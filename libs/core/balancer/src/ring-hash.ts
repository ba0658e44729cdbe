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
/** Of one target; the heaviest has no fewer than one of weight 1 would have. */
const POINTS_MAX = 4_096;
/** So much more than its share of what is under way a target may have: the paper's 1 + epsilon, as Envoy and HAProxy suggest. */
const BOUND = 1.25;

export function ringHash(loads: TargetLoads): Strategy {
  const points = new BoundedMemory<CandidateId, Points>();
  const pointsOf = ({ id }: Candidate, count: number): Points => {
    const known = points.get(id);
    if (known !== undefined && known.length >= count) return known;
    const more = new Points(id, 2 ** Math.ceil(Math.log2(count)));
    points.set(id, more);
    return more;
  };
  return <C extends Candidate>(candidates: readonly [C, ...C[]], { hash }: Asked): C => {
    const perShare = pointsPerShare(candidates);
    const distanceOf = (candidate: C): number => {
      const count = Math.min(POINTS_MAX, Math.max(1, Math.round(byWeight(candidate) * perShare)));
      return pointsOf(candidate, count).distanceFrom(hash, count);
    };
    const byDistance = candidates
      .map((candidate) => ({ candidate, distance: distanceOf(candidate) }))
      .sort((a, b) => a.distance - b.distance);
    const total = candidates.reduce((sum, { id }) => sum + loads.inFlight(id), 1);
    const shares = candidates.reduce((sum, candidate) => sum + byWeight(candidate), 0);
    const isFree = (candidate: C): boolean =>
      loads.inFlight(candidate.id) < Math.ceil((BOUND * total * byWeight(candidate)) / shares);
    // Not all can be above their shares.
    return (byDistance.find(({ candidate }) => isFree(candidate)) ?? byDistance[0]!).candidate;
  };
}

/**
 * The same for all weights that are usual, so that what one target weighs moves nothing between others. Shares count in
 * relation to each other only: where all weights are very great or very small, the heaviest has as many points as it may, or
 * as one of weight 1; and where all are new, nobody is brought back gradually.
 */
function pointsPerShare(candidates: readonly Candidate[]): number {
  const heaviest = candidates.reduce((most, { weight }) => Math.max(most, weight), 0);
  const furthest = candidates.reduce((most, { ramp }) => Math.max(most, ramp), 0);
  const points = Math.min(POINTS_MAX, Math.max(POINTS_PER_WEIGHT, heaviest * POINTS_PER_WEIGHT));
  return points / heaviest / furthest;
}

/**
 * The points of one target: the first so many of a series. With a greater weight come further points, and the others stay,
 * so that only what falls to the new ones moves. More are known than count at present: a share that grows by and by makes
 * none anew.
 */
class Points {
  private readonly sorted: Float64Array;

  constructor(
    id: CandidateId,
    readonly length: number,
  ) {
    // Where it is on the circle, then its place in the series, in one number that sorts by both.
    this.sorted = Float64Array.from(
      { length },
      (_, place) => Number(BigInt.asUintN(32, xxh64(`${id}#${place}`))) * POINTS_MAX + place,
    ).sort();
  }

  /** Clockwise from the hash to the nearest of the first `count`, at least one. */
  distanceFrom(hash: number, count: number): number {
    const { sorted } = this;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]! < hash * POINTS_MAX) low = middle + 1;
      else high = middle;
    }
    for (let step = 0; ; step += 1) {
      const found = sorted[(low + step) % sorted.length]!;
      const place = found % POINTS_MAX;
      if (place >= count) continue;
      const distance = (found - place) / POINTS_MAX - hash;
      return distance < 0 ? distance + CIRCLE : distance;
    }
  }
}
