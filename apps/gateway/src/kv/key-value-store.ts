/** The store as the resources below /v1/kv use it: requests by key, with deadlines, over all partitions. */
import { OperationalError } from '@ringleader/contracts';
import type { PartitionEntry } from '@ringleader/contracts';
import { partitionOf } from '@ringleader/hash-ring';
import type { DeleteOperation, PutOperation } from '@ringleader/paxos';
import type { HybridTime, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Outcome } from '../routing/in-flight.js';
import type { RequestRouter } from '../routing/request-router.js';
import { LinearizableReadTarget, ScanTarget, StaleReadTarget, WriteTarget } from '../routing/targets.js';
import type { Scheduler } from '../routing/shard-channel.js';
import type { Routes, ScanCommand } from '../routing/targets.js';
import { derivedRequestId } from './idempotency.js';
import type { RepeatMemory } from './idempotency.js';
import type { Consistency, Repeatable } from './request-context.js';

/** The partition map as the coordinator has it; empty before there is one. */
export interface PartitionMapView {
  readonly partitionCount: number;
  readonly entries: readonly PartitionEntry[];
}

export interface KeyValueStoreOptions {
  readonly router: RequestRouter;
  readonly map: PartitionMapView;
  readonly routes: Routes;
  readonly repeats: RepeatMemory;
  readonly hybridNow: () => HybridTime;
  readonly monotonicMs: () => MonotonicMs;
  readonly scheduler: Scheduler;
  /** Begins the ids of this process's requests; different in every process. */
  readonly requestIdPrefix: string;
}

export class KeyValueStore {
  private lastRequest = 0;
  /**
   * Writes with an Idempotency-Key that are being carried out. A repeat joins its first: of two attempts that know nothing
   * of each other one might be refused and the other carried out (docs/PROTOCOL.md 4.7.6).
   */
  private readonly underWay = new Map<string, Promise<Outcome>>();

  constructor(private readonly options: KeyValueStoreOptions) {}

  /** `repeatable` null: the client gave no Idempotency-Key, so the request is like no other. */
  async write(
    operation: PutOperation | DeleteOperation,
    repeatable: Repeatable | null,
    deadline: MonotonicMs,
  ): Promise<Outcome> {
    if (repeatable === null) return this.firstWrite(operation, this.nextRequestId(), deadline);
    const { idempotencyKey, occurrence } = repeatable;
    const requestId = derivedRequestId(idempotencyKey, operation.kind, operation.key, occurrence);
    for (;;) {
      const running = this.underWay.get(requestId);
      if (running === undefined) return this.keyedWrite(operation, requestId, deadline);
      const outcome = await this.within(running, deadline);
      // What ended only because its own time was up goes on in the time of its repeat.
      const timedOut =
        outcome.kind === 'failed' && outcome.code !== 'OVERLOADED' && outcome.forgotten !== true;
      if (!timedOut || this.options.monotonicMs() >= deadline) return outcome;
    }
  }

  read(key: string, consistency: Consistency, deadline: MonotonicMs): Promise<Outcome> {
    const partition = this.partition(key);
    const { routes, router } = this.options;
    const target =
      consistency.kind === 'stale'
        ? new StaleReadTarget(partition, key, consistency.maxStalenessMs, routes)
        : new LinearizableReadTarget(partition, key, routes);
    return router.execute(target, deadline);
  }

  scanPage(shard: ShardOrdinal, command: ScanCommand, deadline: MonotonicMs): Promise<Outcome> {
    return this.options.router.execute(new ScanTarget(shard, command), deadline);
  }

  /** All partitions by the shard that is believed to lead them; null while one has no known leader. */
  leadersOfAll(now: MonotonicMs): ReadonlyMap<ShardOrdinal, readonly PartitionIndex[]> | null {
    const byShard = new Map<ShardOrdinal, PartitionIndex[]>();
    const partitionCount = this.partitionCount();
    for (let partition = 0; partition < partitionCount; partition++) {
      const route = this.options.routes.leader(partition, now);
      if (route === null) return null;
      const partitions = byShard.get(route.shard);
      if (partitions === undefined) byShard.set(route.shard, [partition]);
      else partitions.push(partition);
    }
    return byShard;
  }

  private keyedWrite(
    operation: PutOperation | DeleteOperation,
    requestId: string,
    deadline: MonotonicMs,
  ): Promise<Outcome> {
    const { repeats, hybridNow } = this.options;
    const first = repeats.find(requestId);
    if (first !== null && first.success !== null) return Promise.resolve(first.success);
    const origin = first?.origin ?? hybridNow();
    repeats.remember(requestId, origin, null);
    const running = this.carryOut(
      this.writeTarget(operation, requestId, origin),
      { requestId, origin },
      deadline,
    );
    this.underWay.set(requestId, running);
    return running;
  }

  private async carryOut(
    target: WriteTarget,
    { requestId, origin }: { requestId: string; origin: HybridTime },
    deadline: MonotonicMs,
  ): Promise<Outcome> {
    try {
      const outcome = await this.options.router.execute(target, deadline);
      this.options.repeats.remember(requestId, origin, outcome);
      return outcome;
    } finally {
      this.underWay.delete(requestId);
    }
  }

  /** At its own deadline whoever joined a write that is under way must be told something. */
  private within(running: Promise<Outcome>, deadline: MonotonicMs): Promise<Outcome> {
    const { scheduler, monotonicMs } = this.options;
    const timeUp = new Promise<Outcome>((resolve) => {
      scheduler.after(Math.max(0, deadline - monotonicMs()), () => {
        resolve({ kind: 'failed', code: 'OUTCOME_UNKNOWN' });
      });
    });
    return Promise.race([running, timeUp]);
  }

  private firstWrite(
    operation: PutOperation | DeleteOperation,
    requestId: string,
    deadline: MonotonicMs,
  ): Promise<Outcome> {
    return this.options.router.execute(this.writeTarget(operation, requestId, null), deadline);
  }

  private writeTarget(
    operation: PutOperation | DeleteOperation,
    requestId: string,
    origin: HybridTime | null,
  ): WriteTarget {
    const { routes, hybridNow } = this.options;
    return new WriteTarget(
      this.partition(operation.key),
      { operation, requestId, origin },
      routes,
      hybridNow,
    );
  }

  private partition(key: string): PartitionIndex {
    return partitionOf(key, this.partitionCount());
  }

  private partitionCount(): number {
    const { partitionCount } = this.options.map;
    if (partitionCount > 0) return partitionCount;
    throw new OperationalError('UNAVAILABLE', 'There is no partition map yet: the cluster is still starting');
  }

  private nextRequestId(): string {
    this.lastRequest += 1;
    return `${this.options.requestIdPrefix}${this.lastRequest.toString(36)}`;
  }
}
