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
  const loads = new Loads(balancing);
  giveUntilWithinBound(balancing, loads);
  takeUntilShare(balancing, loads);
}

function giveUntilWithinBound(balancing: Balancing, loads: Loads): void {
  const { bounds } = balancing;
  bounds.forEach(({ high }, from) => {
    while (loads.of(from) > high) {
      const takers = loads.leastFirst((shard) => loads.of(shard) < bounds[shard]!.ceiling);
      if (!moveAlongChain(balancing, loads, { giver: from, takers })) break;
    }
  });
}

function takeUntilShare(balancing: Balancing, loads: Loads): void {
  const { bounds } = balancing;
  bounds.forEach(({ low, floor }, to) => {
    if (loads.of(to) >= low) return;
    while (loads.of(to) < floor) {
      const givers = loads.mostFirst((shard) => loads.of(shard) > bounds[shard]!.floor);
      if (!moveAlongChain(balancing, loads, { givers, taker: to })) break;
    }
  });
}

/** How much each shard has beyond its share, in order: a move changes two of them, by one, so that they go a little way. */
class Loads {
  readonly #loads: number[];
  readonly #excess: number[];
  /** Ascending by excess, then by index. */
  readonly #order: ShardIndex[];

  constructor(balancing: Balancing) {
    const { bounds } = balancing;
    this.#loads = bounds.map((_, shard) => balancing.load(shard));
    this.#excess = bounds.map(({ share }, shard) => this.#loads[shard]! - share);
    this.#order = bounds.map((_, shard) => shard).sort((a, b) => this.#compare(a, b));
  }

  of(shard: ShardIndex): number {
    return this.#loads[shard]!;
  }

  change(shard: ShardIndex, by: 1 | -1): void {
    const order = this.#order;
    let at = order.indexOf(shard);
    this.#loads[shard]! += by;
    this.#excess[shard]! += by;
    for (; order[at + by] !== undefined && this.#compare(shard, order[at + by]!) * by > 0; at += by) {
      order[at] = order[at + by]!;
      order[at + by] = shard;
    }
  }

  *leastFirst(passes: (shard: ShardIndex) => boolean): Generator<ShardIndex> {
    for (const shard of this.#order) if (passes(shard)) yield shard;
  }

  *mostFirst(passes: (shard: ShardIndex) => boolean): Generator<ShardIndex> {
    for (let i = this.#order.length - 1; i >= 0; i--) if (passes(this.#order[i]!)) yield this.#order[i]!;
  }

  #compare(a: ShardIndex, b: ShardIndex): number {
    return this.#excess[a]! - this.#excess[b]! || a - b;
  }
}

interface Step {
  readonly partition: PartitionIndex;
  readonly from: ShardIndex;
  readonly to: ShardIndex;
}

/** One of them alone, and all that could be at the other end, most urgent first. */
type Ends =
  | { readonly giver: ShardIndex; readonly takers: Iterable<ShardIndex> }
  | { readonly givers: Iterable<ShardIndex>; readonly taker: ShardIndex };

/** False if no giver has a way to any taker. */
function moveAlongChain(balancing: Balancing, loads: Loads, ends: Ends): boolean {
  const chain = findWay(balancing, ends);
  if (chain === undefined) return false;
  for (const { partition, from, to } of chain) balancing.move(partition, from, to);
  loads.change(chain[0]!.from, -1);
  loads.change(chain.at(-1)!.to, 1);
  return true;
}

/** In one step if there is one: few of the others are looked at then. */
function findWay(balancing: Balancing, ends: Ends): readonly Step[] | undefined {
  const others: ShardIndex[] = [];
  for (const other of 'giver' in ends ? ends.takers : ends.givers) {
    others.push(other);
    const [from, to] = 'giver' in ends ? [ends.giver, other] : [other, ends.taker];
    const partition = balancing.findMove(from, to);
    if (partition !== undefined) return [{ partition, from, to }];
  }
  return 'giver' in ends
    ? findChain(balancing, [ends.giver], others)
    : findChain(balancing, others, [ends.taker]);
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
