/**
 * The store as the resources below /v1/kv use it: requests by key, with deadlines, over all partitions.
 *
 * Repeats of a client's request (docs/PROTOCOL.md 4.7). The request id is derived from the client's Idempotency-Key, the
 * key and what is done, so that a repeat carries the id of the first one, through any gateway, and the row of the key
 * gives the first answer as long as it remembers the id: for the key's next three writes.
 *
 * Past that, replicas remember the keyed writes that they saw pass (docs/PROTOCOL.md 4.7.6), which they know by the prefix of
 * the id. Repeats within a minute of the first attempt get the first answer, or OUTCOME_UNKNOWN where nobody can tell any
 * more; they are never carried out twice. This gateway also remembers origin and success, for as many requests as fit. It
 * never answers by a refusal that it remembers: since then the client may have asked another gateway, which carried it out.
 */
import { hash, randomBytes } from 'node:crypto';
import { OperationalError } from '@ringleader/contracts';
import { partitionOf } from '@ringleader/hash-ring';
import { KEYED_ID_PREFIX, RULES } from '@ringleader/paxos';
import type { DeleteOperation, PutOperation } from '@ringleader/paxos';
import type { HybridTime, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Outcome, Settler } from '../routing/in-flight.js';
import type { RequestRouter } from '../routing/request-router.js';
import type { PartitionMapView, RoutingTable } from '../routing/routing-table.js';
import type { Scheduler } from '../routing/shard-channel.js';
import { LinearizableReadTarget, ScanTarget, StaleReadTarget, WriteTarget } from '../routing/targets.js';
import type { ScanCommand } from '../routing/targets.js';
import { Repeats } from './repeats.js';
import type { Consistency, Repeatable } from './request-context.js';

/** Of base64url: 18 bytes of the hash. */
const ID_LENGTH = 24;
const PREFIX_BYTES = 9;

/** `occurrence` tells the operations of one batch apart that do the same to one key. */
function derivedRequestId(
  idempotencyKey: string,
  action: 'put' | 'delete',
  key: string,
  occurrence: number,
): string {
  const parts = JSON.stringify([idempotencyKey, action, key, occurrence]);
  return `${KEYED_ID_PREFIX}${hash('sha256', parts, 'base64url').slice(0, ID_LENGTH)}`;
}

/** A write with an Idempotency-Key while it is carried out. */
class KeyedWrite implements Settler {
  private listeners: Settler['settled'][] | null = null;

  constructor(
    private readonly first: Settler,
    private readonly ended: (outcome: Outcome) => void,
  ) {}

  joined(listener: Settler['settled']): void {
    this.listeners ??= [];
    this.listeners.push(listener);
  }

  settled(outcome: Outcome): void {
    this.ended(outcome);
    this.first.settled(outcome);
    for (const listener of this.listeners ?? []) listener(outcome);
  }
}

interface Repeat {
  readonly operation: PutOperation | DeleteOperation;
  readonly requestId: string;
  readonly deadline: MonotonicMs;
  readonly settler: Settler;
}

/** Who is told once, and lets go of the value then: the timer of a deadline that is a minute away still knows of it. */
class Joined {
  constructor(private waiting: Repeat | null) {}

  /** Null from the second time on. */
  take(): Repeat | null {
    const { waiting } = this;
    this.waiting = null;
    return waiting;
  }
}

export interface KeyValueStoreOptions {
  readonly router: RequestRouter;
  readonly map: PartitionMapView;
  readonly routes: RoutingTable;
  /** So many requests with an Idempotency-Key are remembered. */
  readonly repeatsRemembered: number;
  readonly hybridNow: () => HybridTime;
  readonly monotonicMs: () => MonotonicMs;
  readonly scheduler: Scheduler;
}

export class KeyValueStore {
  /** Begins the ids of this process's requests; different in every process. */
  private readonly idPrefix = `${randomBytes(PREFIX_BYTES).toString('base64url')}.`;
  private lastRequest = 0;
  private readonly repeats: Repeats;
  /**
   * Writes with an Idempotency-Key that are being carried out. A repeat joins its first: of two attempts that know nothing
   * of each other one might be refused and the other carried out (docs/PROTOCOL.md 4.7.6).
   */
  private readonly underWay = new Map<string, KeyedWrite>();

  constructor(private readonly options: KeyValueStoreOptions) {
    this.repeats = new Repeats(options.repeatsRemembered);
  }

  write(
    operation: PutOperation | DeleteOperation,
    repeatable: Repeatable | null,
    deadline: MonotonicMs,
  ): Promise<Outcome> {
    return new Promise((settled) => this.beginWrite(operation, repeatable, deadline, { settled }));
  }

  /** `repeatable` null: the client gave no Idempotency-Key, so the request is like no other. */
  beginWrite(
    operation: PutOperation | DeleteOperation,
    repeatable: Repeatable | null,
    deadline: MonotonicMs,
    settler: Settler,
  ): void {
    if (repeatable === null) {
      const target = this.writeTarget(operation, this.nextRequestId(), null);
      this.options.router.carry(target, deadline, settler);
      return;
    }
    const { idempotencyKey, occurrence } = repeatable;
    const requestId = derivedRequestId(idempotencyKey, operation.kind, operation.key, occurrence);
    const running = this.underWay.get(requestId);
    if (running === undefined) this.keyedWrite(operation, requestId, deadline, settler);
    else this.join(running, { operation, requestId, deadline, settler });
  }

  read(key: string, consistency: Consistency, deadline: MonotonicMs): Promise<Outcome> {
    return new Promise((settled) => this.beginRead(key, consistency, deadline, { settled }));
  }

  beginRead(key: string, consistency: Consistency, deadline: MonotonicMs, settler: Settler): void {
    const partition = this.partition(key);
    const { routes, router } = this.options;
    const target =
      consistency.kind === 'stale'
        ? new StaleReadTarget(partition, key, consistency.maxStalenessMs, routes)
        : new LinearizableReadTarget(partition, key, routes);
    router.carry(target, deadline, settler);
  }

  scanPage(shard: ShardOrdinal, command: ScanCommand, deadline: MonotonicMs): Promise<Outcome> {
    const { router, routes } = this.options;
    return router.execute(new ScanTarget(shard, command, routes), deadline);
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
    settler: Settler,
  ): void {
    const { repeats, underWay } = this;
    const first = repeats.find(requestId);
    if (first !== null && first.answer !== null && !this.mayBeLost(operation.key, first.answer)) {
      settler.settled(first.answer);
      return;
    }
    const origin = first?.origin ?? this.options.hybridNow();
    const target = this.writeTarget(operation, requestId, origin);
    const write = new KeyedWrite(settler, (outcome) => {
      repeats.remember(requestId, origin, outcome);
      underWay.delete(requestId);
    });
    underWay.set(requestId, write);
    this.options.router.carry(target, deadline, write);
  }

  /** docs/PROTOCOL.md 6.8: written before the partition went on without some of its replicas. What is left of it knows. */
  private mayBeLost(key: string, answer: Outcome): boolean {
    const { recovery } = this.options.map.entry(this.partition(key)) ?? {};
    if (recovery === undefined || answer.kind !== 'answered' || answer.reply.kind !== 'written') return false;
    return answer.reply.revision <= RULES.revisionAfter(recovery.times);
  }

  /** What ended only because its own time was up goes on in the time of its repeat. */
  private join(running: KeyedWrite, repeat: Repeat): void {
    const { scheduler, monotonicMs } = this.options;
    const joined = new Joined(repeat);
    running.joined((outcome) => this.goOn(joined.take(), outcome));
    // At its own deadline whoever joined a write that is under way must be told something.
    scheduler.after(Math.max(0, repeat.deadline - monotonicMs()), () =>
      joined.take()?.settler.settled({ kind: 'failed', code: 'OUTCOME_UNKNOWN' }),
    );
  }

  /** After what it joined has ended. */
  private goOn(repeat: Repeat | null, outcome: Outcome): void {
    if (repeat === null) return;
    const { operation, requestId, deadline, settler } = repeat;
    const timedOut = outcome.kind === 'failed' && outcome.code !== 'OVERLOADED' && outcome.forgotten !== true;
    if (!timedOut || this.options.monotonicMs() >= deadline) {
      settler.settled(outcome);
      return;
    }
    const next = this.underWay.get(requestId);
    if (next === undefined) this.keyedWrite(operation, requestId, deadline, settler);
    else this.join(next, repeat);
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
    return `${this.idPrefix}${this.lastRequest.toString(36)}`;
  }
}
