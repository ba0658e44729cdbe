/**
 * Rings that were built before, for whoever places the same shards again and again: hashing and sorting a quarter of a million
 * points takes longer than all the rest. A shard that has left is passed over in a ring that it is still in, which
 * is the same walk.
 */
import { HashRing, type RingMember, type RingPoint, pointsOf } from '@ringleader/hash-ring';

const ROUND = 2 ** 64;

/** Of all members together: a quarter of a million points. */
export const RING_WEIGHT_MAX = 1_024;

/**
 * With weights by which they stand on a ring that a coordinator builds within a second: what holds it up for longer ends its
 * leadership, and the next leader's. Weights count in relation to each other only, so where all of them together are greater
 * (gigabytes of disks, say) they are halved as often as it takes: that seldom changes.
 */
export function standing<Member extends RingMember>(members: readonly Member[]): readonly RingMember[] {
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  if (total <= RING_WEIGHT_MAX) return members;
  const share = 2 ** -Math.ceil(Math.log2(total / RING_WEIGHT_MAX));
  return members.map(({ id, weight }) => ({ id, weight: weight * share }));
}

interface Points {
  readonly hashes: readonly bigint[];
  /** The same in rounds of the ring, ascending. */
  readonly rounds: Float64Array;
}

interface Built {
  readonly ring: HashRing;
  /** By their names and weights, in the order of the ring's indices. */
  readonly keys: readonly string[];
  readonly has: ReadonlySet<string>;
}

const keyOf = ({ id, weight }: RingMember): string => `${weight} ${id}`;

export class Rings {
  readonly #points = new Map<string, Points>();
  #built: Built | null = null;

  /** Where the member stands, in rounds of the ring, ascending. */
  roundsOf(member: RingMember): Float64Array {
    return this.#pointsOf(member).rounds;
  }

  /** The indices of the members in the order in which a clockwise walk from a point meets them. */
  walker(members: readonly RingMember[]): (from: bigint) => Iterable<number> {
    const keys = members.map(keyOf);
    const { ring, keys: present } = this.#ringWith(members, keys);
    const indexOf = new Map(keys.map((key, index) => [key, index]));
    const indices = present.map((key) => indexOf.get(key));
    return function* walk(from) {
      for (const member of ring.walk(from)) {
        const index = indices[member];
        if (index !== undefined) yield index;
      }
    };
  }

  /** One that has them all, and not many more. */
  #ringWith(members: readonly RingMember[], keys: readonly string[]): Built {
    const last = this.#built;
    if (last !== null && last.keys.length <= 2 * keys.length && keys.every((key) => last.has.has(key)))
      return last;
    const points = members.flatMap((one, member): RingPoint[] =>
      this.#pointsOf(one).hashes.map((hash) => ({ hash, member })),
    );
    const ring = new HashRing(
      points,
      members.map(({ id }) => id),
    );
    this.#built = { ring, keys, has: new Set(keys) };
    this.#forgetAllBut(this.#built.has);
    return this.#built;
  }

  #pointsOf(member: RingMember): Points {
    const key = keyOf(member);
    let points = this.#points.get(key);
    if (points === undefined) {
      const hashes = pointsOf(member);
      points = { hashes, rounds: Float64Array.from(hashes, (hash) => Number(hash) / ROUND).sort() };
      this.#points.set(key, points);
    }
    return points;
  }

  #forgetAllBut(keys: ReadonlySet<string>): void {
    for (const key of this.#points.keys()) if (!keys.has(key)) this.#points.delete(key);
  }
}
