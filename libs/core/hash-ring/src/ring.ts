/**
 * Consistent hashing (Karger et al. 1997): every shard stands at many points of the 64-bit circle, and whoever comes
 * first clockwise from a point owns it. A shard that comes or goes changes only the arcs next to its own points.
 * The ring only proposes: the partition map decides (see the placement core).
 */
import { invariant } from '@ringleader/primitives';
import { xxh64 } from './xxh64.js';

export const VIRTUAL_NODES_PER_WEIGHT = 256;

export interface RingMember {
  readonly id: string;
  /** Relative capacity, > 0: the member has round(weight x 256) virtual nodes, at least one. */
  readonly weight: number;
}

export interface RingPoint {
  readonly hash: bigint;
  /** Index into the members the ring was built from. */
  readonly member: number;
}

export class HashRing {
  /** Ascending by hash; equal hashes by member id, so that the order does not depend on the input's. */
  readonly points: readonly RingPoint[];
  readonly #memberCount: number;

  constructor(points: readonly RingPoint[], memberIds: readonly string[]) {
    this.points = points.toSorted(
      (a, b) => compare(a.hash, b.hash) || compare(memberIds[a.member], memberIds[b.member]),
    );
    this.#memberCount = memberIds.length;
  }

  /** The members in the order in which a clockwise walk from `hash` (inclusive) meets them first. */
  *walk(hash: bigint): Generator<number, void, undefined> {
    const { points } = this;
    const met = new Set<number>();
    const first = this.#firstAtOrAfter(hash);
    for (let step = 0; step < points.length && met.size < this.#memberCount; step++) {
      const { member } = points[(first + step) % points.length]!;
      if (met.has(member)) continue;
      met.add(member);
      yield member;
    }
  }

  /** The first member clockwise, undefined on an empty ring. */
  owner(hash: bigint): number | undefined {
    for (const member of this.walk(hash)) return member;
    return undefined;
  }

  #firstAtOrAfter(hash: bigint): number {
    let low = 0;
    let high = this.points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.points[middle]!.hash < hash) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export function buildRing(members: readonly RingMember[]): HashRing {
  const points: RingPoint[] = [];
  members.forEach(({ id, weight }, member) => {
    invariant(weight > 0 && Number.isFinite(weight), 'buildRing: a weight is not a positive number');
    const count = Math.max(1, Math.round(weight * VIRTUAL_NODES_PER_WEIGHT));
    for (let i = 0; i < count; i++) points.push({ hash: xxh64(`${id}#${i}`), member });
  });
  return new HashRing(
    points,
    members.map(({ id }) => id),
  );
}

function compare<T extends bigint | string>(a: T | undefined, b: T | undefined): number {
  return a === b ? 0 : a! < b! ? -1 : 1;
}
