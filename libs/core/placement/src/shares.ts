/**
 * How much each shard should hold. With one zone, or zones of equal weight, that is the weighted mean. It cannot be that
 * everywhere: a shard holds at most one replica of a partition, and a zone at most as many as the spread over zones
 * allows. What a full shard or zone cannot take goes to the others, by weight: the weighted max-min fair division
 * (Bertsekas and Gallager, "Data Networks", 6.5.2, "water filling").
 */
import { invariant } from '@ringleader/primitives';

export interface Consumer {
  readonly weight: number;
  /** The most this one can take. */
  readonly capacity: number;
  /** Index of the group it belongs to. */
  readonly group: number;
}

/** Sums of floating-point shares must not push a bound over an integer. */
const ROUNDING_SLACK = 1e-9;

/** One share per consumer; together `total`, if the capacities allow it. */
export function fairShares(
  total: number,
  consumers: readonly Consumer[],
  groupCapacity: readonly number[],
): number[] {
  const shares = consumers.map(() => 0);
  const groupLeft = [...groupCapacity];
  let left = total;
  let open = consumers.map((_, index) => index);
  while (left > ROUNDING_SLACK && open.length > 0) {
    const level = nextLevel({ left, open, shares, consumers, groupLeft });
    for (const index of open) {
      const { weight, group } = consumers[index]!;
      shares[index]! += level * weight;
      groupLeft[group]! -= level * weight;
      left -= level * weight;
    }
    open = open.filter((index) => {
      const { capacity, group } = consumers[index]!;
      return shares[index]! < capacity - ROUNDING_SLACK && groupLeft[group]! > ROUNDING_SLACK;
    });
  }
  return shares;
}

/** How far the water can rise, per weight, until all is handed out or the first consumer or group is full. */
function nextLevel(filling: {
  readonly left: number;
  readonly open: readonly number[];
  readonly shares: readonly number[];
  readonly consumers: readonly Consumer[];
  readonly groupLeft: readonly number[];
}): number {
  const { left, open, shares, consumers, groupLeft } = filling;
  const groupWeight = groupLeft.map(() => 0);
  let weights = 0;
  let level = Number.POSITIVE_INFINITY;
  for (const index of open) {
    const { weight, capacity, group } = consumers[index]!;
    weights += weight;
    groupWeight[group]! += weight;
    level = Math.min(level, (capacity - shares[index]!) / weight);
  }
  groupWeight.forEach((weight, group) => {
    if (weight > 0) level = Math.min(level, groupLeft[group]! / weight);
  });
  invariant(weights > 0, 'fairShares: weights must be positive');
  return Math.min(level, left / weights);
}

/** The loads at which a shard is left alone, around the load it is brought to when it is not. */
export interface LoadBounds {
  readonly share: number;
  readonly low: number;
  readonly floor: number;
  readonly ceiling: number;
  readonly high: number;
}

export function loadBounds(share: number, epsilon: number): LoadBounds {
  return {
    share,
    low: Math.floor((1 - epsilon) * share + ROUNDING_SLACK),
    floor: Math.floor(share + ROUNDING_SLACK),
    ceiling: Math.ceil(share - ROUNDING_SLACK),
    high: Math.ceil((1 + epsilon) * share - ROUNDING_SLACK),
  };
}
