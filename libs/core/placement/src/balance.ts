/**
 * Brings loads back within their bounds with as few moves as possible. A shard above its upper bound gives until it is at
 * the bound; one below its lower bound takes until it has its share; everyone else is left alone.
 *
 * Often the shard that has too much can give nothing to the one that has too little (it holds all the same partitions,
 * or its zone is in the way), but there is a chain: a gives to b, b gives to c. Chains are the augmenting paths of the
 * flow from partitions to shards, so a feasible load is reached whenever there is one (Ford and Fulkerson).
 */
import type { PartitionIndex } from '@ringleader/primitives';
import type { LoadBounds } from './shares.js';
import type { ShardIndex } from './topology.js';

export interface Balancing {
  readonly bounds: readonly LoadBounds[];
  load(shard: ShardIndex): number;
  /** A partition that `from` can hand to `to`, the best one. */
  findMove(from: ShardIndex, to: ShardIndex): PartitionIndex | undefined;
  move(partition: PartitionIndex, from: ShardIndex, to: ShardIndex): void;
}

export function balance(balancing: Balancing): void {
  giveUntilWithinBound(balancing);
  takeUntilShare(balancing);
}

function giveUntilWithinBound(balancing: Balancing): void {
  const { bounds } = balancing;
  bounds.forEach(({ high }, from) => {
    while (balancing.load(from) > high) {
      const takers = byNeed(balancing, (shard) => balancing.load(shard) < bounds[shard]!.ceiling);
      if (!moveAlongChain(balancing, [from], takers)) break;
    }
  });
}

function takeUntilShare(balancing: Balancing): void {
  const { bounds } = balancing;
  bounds.forEach(({ low, floor }, to) => {
    if (balancing.load(to) >= low) return;
    while (balancing.load(to) < floor) {
      const givers = byNeed(balancing, (shard) => balancing.load(shard) > bounds[shard]!.floor).reverse();
      if (!moveAlongChain(balancing, givers, [to])) break;
    }
  });
}

/** The shards that pass, those furthest below their share first. */
function byNeed(balancing: Balancing, passes: (shard: ShardIndex) => boolean): ShardIndex[] {
  const excess = (shard: ShardIndex): number => balancing.load(shard) - balancing.bounds[shard]!.share;
  return balancing.bounds
    .map((_, shard) => shard)
    .filter(passes)
    .sort((a, b) => excess(a) - excess(b) || a - b);
}

interface Step {
  readonly partition: PartitionIndex;
  readonly from: ShardIndex;
  readonly to: ShardIndex;
}

/** Both lists begin with the most urgent. False if no giver has a way to any taker. */
function moveAlongChain(
  balancing: Balancing,
  givers: readonly ShardIndex[],
  takers: readonly ShardIndex[],
): boolean {
  const chain = findDirect(balancing, givers, takers) ?? findChain(balancing, givers, takers);
  if (chain === undefined) return false;
  for (const { partition, from, to } of chain) balancing.move(partition, from, to);
  return true;
}

function findDirect(
  balancing: Balancing,
  givers: readonly ShardIndex[],
  takers: readonly ShardIndex[],
): Step[] | undefined {
  for (const from of givers) {
    for (const to of takers) {
      const partition = balancing.findMove(from, to);
      if (partition !== undefined) return [{ partition, from, to }];
    }
  }
  return undefined;
}

/**
 * The shortest chain, breadth first. On a shortest chain no partition moves twice in a way that would spoil a later
 * step: where it could, there is a shorter chain.
 */
function findChain(
  balancing: Balancing,
  givers: readonly ShardIndex[],
  takers: readonly ShardIndex[],
): Step[] | undefined {
  const wanted = new Set(takers);
  const reachedBy = new Map<ShardIndex, Step | undefined>(givers.map((giver) => [giver, undefined]));
  const queue = [...givers];
  for (let head = 0; head < queue.length; head++) {
    const from = queue[head]!;
    for (let to = 0; to < balancing.bounds.length; to++) {
      if (reachedBy.has(to)) continue;
      const partition = balancing.findMove(from, to);
      if (partition === undefined) continue;
      reachedBy.set(to, { partition, from, to });
      if (wanted.has(to)) return backtrack(reachedBy, to);
      queue.push(to);
    }
  }
  return undefined;
}

function backtrack(reachedBy: ReadonlyMap<ShardIndex, Step | undefined>, end: ShardIndex): Step[] {
  const chain: Step[] = [];
  for (let step = reachedBy.get(end); step !== undefined; step = reachedBy.get(step.from)) chain.push(step);
  return chain.reverse();
}
