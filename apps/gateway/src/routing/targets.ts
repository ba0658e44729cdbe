/** Where the attempts of a request go, and what is sent there. */
import type { FramedRequest } from '@ringleader/contracts';
import { xxh64 } from '@ringleader/hash-ring';
import type { DeleteOperation, PutOperation, ReadRequest, ScanRequest } from '@ringleader/paxos';
import type { HybridTime, MonotonicMs, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { RequestClass } from './attempts.js';
import type { Route, RoutingTable } from './routing-table.js';

export interface Target {
  readonly requestClass: RequestClass;
  /** The partition whose leader is asked; null where it does not matter who leads. */
  readonly partition: PartitionIndex | null;
  /** Whether a new leader is a reason to ask again at once. */
  readonly followsLeader: boolean;
  /** Whether a new leader of one of these is a reason to wait no more: what was asked for is elsewhere. */
  hasMoved(changed: ReadonlySet<PartitionIndex>, now: MonotonicMs): boolean;
  /** Whether how long it takes tells how busy a shard is: a page of a list takes as long as it is long, a write as others do. */
  readonly isTimed: boolean;
  /** About what it takes in a frame. */
  readonly bytes: number;
  /** Null when nobody can be asked at present. */
  route(now: MonotonicMs): Route | null;
  frame(token: number, route: Route, remainingMs: number): FramedRequest;
  /** The replica that was asked last cannot answer. */
  passOver(): void;
  /** Becomes a new request, with a new origin; false where it must stay the one that it is. */
  renew(): boolean;
}

const REQUEST_OVERHEAD_BYTES = 96;
const LINEARIZABLE = { kind: 'linearizable' } as const;

export interface WriteCommand {
  readonly operation: PutOperation | DeleteOperation;
  readonly requestId: string;
  /** Where the client may repeat the request: of its first attempt. Null: the request is like no other. */
  readonly origin: HybridTime | null;
}

export class WriteTarget implements Target {
  readonly requestClass = 'write';
  readonly followsLeader = true;
  readonly isTimed = false;
  readonly bytes: number;
  private firstOrigin: HybridTime | null;

  constructor(
    readonly partition: PartitionIndex,
    private readonly command: WriteCommand,
    private readonly routes: RoutingTable,
    private readonly hybridNow: () => HybridTime,
  ) {
    const { operation, origin } = command;
    this.firstOrigin = origin;
    const valueBytes = operation.kind === 'put' ? operation.value.length : 0;
    this.bytes = REQUEST_OVERHEAD_BYTES + operation.key.length + valueBytes;
  }

  /** Null until the first attempt is sent; unchanged by retries from then on (docs/PROTOCOL.md 4.7.2). */
  get origin(): HybridTime | null {
    return this.firstOrigin;
  }

  route(now: MonotonicMs): Route | null {
    return this.routes.leader(this.partition, now);
  }

  frame(token: number, route: Route, remainingMs: number): FramedRequest {
    this.firstOrigin ??= this.hybridNow();
    const { operation, requestId } = this.command;
    const { partition, firstOrigin: origin } = this;
    const { epoch, ballot } = route;
    return { kind: 'write', token, remainingMs, partition, epoch, ballot, requestId, origin, operation };
  }

  hasMoved(): boolean {
    return false;
  }

  passOver(): void {
    // A write goes to the leader, and to nobody else.
  }

  renew(): boolean {
    if (this.command.origin !== null) return false;
    this.firstOrigin = null;
    return true;
  }
}

export class LinearizableReadTarget implements Target {
  readonly requestClass = 'read';
  readonly followsLeader = true;
  readonly isTimed = true;
  readonly bytes: number;

  constructor(
    readonly partition: PartitionIndex,
    private readonly key: string,
    private readonly routes: RoutingTable,
  ) {
    this.bytes = REQUEST_OVERHEAD_BYTES + key.length;
  }

  route(now: MonotonicMs): Route | null {
    return this.routes.leader(this.partition, now);
  }

  frame(token: number, { epoch }: Route, remainingMs: number): FramedRequest {
    const { partition, key } = this;
    return { kind: 'read', token, remainingMs, partition, epoch, key, consistency: LINEARIZABLE };
  }

  hasMoved(): boolean {
    return false;
  }

  passOver(): void {
    // There is one leader.
  }

  renew(): boolean {
    return false;
  }
}

/** Any replica that the balancer picks; when none can answer, the leader, by a read that is not stale at all. */
export class StaleReadTarget implements Target {
  readonly requestClass = 'read';
  readonly isTimed = true;
  readonly bytes: number;
  private readonly passedOver: ShardOrdinal[] = [];
  private asked: ShardOrdinal | null = null;
  private consistency: ReadRequest['consistency'];
  /** The upper half of the key's hash is the same in all of its partition. */
  private readonly hash: number;

  constructor(
    readonly partition: PartitionIndex,
    private readonly key: string,
    private readonly maxStalenessMs: number | null,
    private readonly routes: RoutingTable,
  ) {
    this.bytes = REQUEST_OVERHEAD_BYTES + key.length;
    this.consistency = { kind: 'stale', maxStalenessMs };
    this.hash = Number(BigInt.asUintN(32, xxh64(key)));
  }

  get followsLeader(): boolean {
    return this.consistency.kind === 'linearizable';
  }

  /** Each attempt asks another replica: a silent one is passed over as well. */
  route(now: MonotonicMs): Route | null {
    this.passOver();
    const replica = this.routes.replica(this.partition, this.passedOver, { now, hash: this.hash });
    const leader = this.routes.leader(this.partition, now);
    this.asked = replica?.shard ?? null;
    // The leader can prove that its answer is not stale at all, but not how old a stale one would be.
    const asksLeader = replica === null || (leader !== null && replica.shard === leader.shard);
    this.consistency = asksLeader ? LINEARIZABLE : { kind: 'stale', maxStalenessMs: this.maxStalenessMs };
    return replica ?? leader;
  }

  frame(token: number, { epoch }: Route, remainingMs: number): FramedRequest {
    const { partition, key, consistency } = this;
    return { kind: 'read', token, remainingMs, partition, epoch, key, consistency };
  }

  hasMoved(): boolean {
    return false;
  }

  passOver(): void {
    if (this.asked !== null) this.passedOver.push(this.asked);
    this.asked = null;
  }

  renew(): boolean {
    return false;
  }
}

export type ScanCommand = Pick<
  ScanRequest,
  'partitions' | 'range' | 'reverse' | 'keysOnly' | 'limitRows' | 'limitBytes'
>;

/** A page of a scan over partitions which one shard is believed to lead: asked of that shard alone. */
export class ScanTarget implements Target {
  readonly requestClass = 'read';
  readonly followsLeader = false;
  readonly isTimed = false;
  readonly partition = null;
  readonly bytes: number;

  constructor(
    private readonly shard: ShardOrdinal,
    private readonly command: ScanCommand,
    private readonly routes: RoutingTable,
  ) {
    this.bytes = REQUEST_OVERHEAD_BYTES + command.partitions.length * 2 + command.range.start.length;
  }

  route(): Route {
    return { shard: this.shard, ballot: 0, epoch: 0 };
  }

  frame(token: number, _route: Route, remainingMs: number): FramedRequest {
    return { kind: 'scan', token, remainingMs, ...this.command, consistency: LINEARIZABLE };
  }

  hasMoved(changed: ReadonlySet<PartitionIndex>, now: MonotonicMs): boolean {
    return this.command.partitions.some(
      (partition) => changed.has(partition) && this.routes.isLedByAnother(partition, this.shard, now),
    );
  }

  passOver(): void {
    // The caller asks elsewhere.
  }

  renew(): boolean {
    return false;
  }
}
