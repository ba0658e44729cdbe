/**
 * Which replica takes what any replica may serve: by the strategy in force, of those that nobody doubts, with the weights that
 * they have at present; and how that spread the requests.
 */
import { SLOW_START_DEFAULT, SlowStart, createBalancer } from '@ringleader/balancer';
import type { Asked, Balancer, BalancerStrategy, TargetLoads } from '@ringleader/balancer';
import type { Prng, ShardOrdinal } from '@ringleader/primitives';
import type { ShardDirectory } from './shard-directory.js';

export interface ReplicaPickerOptions {
  readonly strategy: BalancerStrategy;
  /** How long one that is new, or was doubted, has less than its share. */
  readonly slowStartMs: number;
  readonly prng: Prng;
  readonly shards: ShardDirectory;
  /** Of the reads under way: whoever sends them keeps it. */
  readonly loads: TargetLoads;
}

export class ReplicaPicker {
  private readonly slowStart: SlowStart;
  private readonly counts = new Map<BalancerStrategy, Map<ShardOrdinal, number>>();
  private current: { readonly strategy: BalancerStrategy; readonly balancer: Balancer };

  constructor(private readonly options: ReplicaPickerOptions) {
    this.slowStart = new SlowStart({ ...SLOW_START_DEFAULT, windowMs: options.slowStartMs });
    this.current = { strategy: options.strategy, balancer: createBalancer(options.strategy, options) };
  }

  get strategy(): BalancerStrategy {
    return this.current.strategy;
  }

  /** From now on. Null: the one that this gateway was configured with. */
  use(strategy: BalancerStrategy | null): void {
    const next = strategy ?? this.options.strategy;
    if (next === this.strategy) return;
    this.current = { strategy: next, balancer: createBalancer(next, this.options) };
  }

  /** Undefined only for an empty list. */
  pick(replicas: readonly ShardOrdinal[], asked: Asked): ShardOrdinal | undefined {
    const { shards } = this.options;
    const candidates = replicas.map((id) => {
      const suspect = shards.isSuspect(id);
      return { id, suspect, weight: shards.weight(id), ramp: this.slowStart.ramp(id, suspect, asked.now) };
    });
    const picked = this.current.balancer.pick(candidates, asked)?.id;
    if (picked !== undefined) this.count(picked);
    return picked;
  }

  /** How often each shard was picked by each strategy, by both, with a space between. */
  get picks(): ReadonlyMap<string, number> {
    const entries = [...this.counts].flatMap(([strategy, byShard]) =>
      [...byShard].map(
        ([shard, count]) => [`${strategy} ${this.options.shards.name(shard)}`, count] as const,
      ),
    );
    // One that came back under another ordinal is still the same one by its name.
    const sums = new Map<string, number>();
    for (const [key, count] of entries) sums.set(key, (sums.get(key) ?? 0) + count);
    return sums;
  }

  private count(shard: ShardOrdinal): void {
    const byShard = this.counts.get(this.strategy) ?? new Map<ShardOrdinal, number>();
    this.counts.set(this.strategy, byShard.set(shard, (byShard.get(shard) ?? 0) + 1));
  }
}
