/** The store as the resources below /v1/kv use it: requests by key, with deadlines, over all partitions. */
import { OperationalError } from '@ringleader/contracts';
import type { PartitionEntry } from '@ringleader/contracts';
import { partitionOf } from '@ringleader/hash-ring';
import type { DeleteOperation, PutOperation } from '@ringleader/paxos';
import type { HybridTime, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Outcome } from '../routing/in-flight.js';
import type { RequestRouter } from '../routing/request-router.js';
import { LinearizableReadTarget, ScanTarget, StaleReadTarget, WriteTarget } from '../routing/targets.js';
import type { Routes, ScanCommand } from '../routing/targets.js';
import { derivedRequestId } from './idempotency.js';
import type { RepeatMemory } from './idempotency.js';
import type { Consistency } from './query.js';

/** The partition map as the coordinator has it; empty before there is one. */
export interface PartitionMapView {
  readonly partitionCount: number;
  readonly entries: readonly PartitionEntry[];
}

export interface Repeatable {
  readonly idempotencyKey: string;
  readonly occurrence: number;
}

export interface KeyValueStoreOptions {
  readonly router: RequestRouter;
  readonly map: PartitionMapView;
  readonly routes: Routes;
  readonly repeats: RepeatMemory;
  readonly hybridNow: () => HybridTime;
  /** Begins the ids of this process's requests; different in every process. */
  readonly requestIdPrefix: string;
}

export class KeyValueStore {
  private lastRequest = 0;

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
    const { repeats } = this.options;
    const first = repeats.find(requestId);
    const answer = first?.answer ?? null;
    if (answer !== null) return answer;
    const target = this.writeTarget(operation, requestId, first?.origin ?? this.options.hybridNow());
    repeats.remember(requestId, target.origin ?? 0, null);
    const outcome = await this.options.router.execute(target, deadline);
    if (outcome.kind === 'answered') repeats.remember(requestId, target.origin ?? 0, outcome);
    return outcome;
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
