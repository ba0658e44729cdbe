/**
 * A gateway as far as the protocol goes: finds leaders, repeats a write under the same request id and origin, takes a
 * success from any attempt and a failure only as the answer to the latest (docs/PROTOCOL.md 4.7).
 */
import { GatewayClock } from '@ringleader/hybrid-clock';
import { isKeyed, mayAnswerRepeats } from '@ringleader/paxos';
import type { DeleteOperation, PutOperation, ReadRequest, Row, ShardReply } from '@ringleader/paxos';
import {
  HYBRID_UNITS_PER_MS,
  type HybridTime,
  type PartitionIndex,
  type ShardOrdinal,
} from '@ringleader/primitives';
import type { Host, NodeId, Process } from '@ringleader/testing-simulation';
import type { LeaderNotice, RequestBody, SimMessage } from './sim-messages.js';
import { RepeatMemory } from './repeat-memory.js';

export interface GatewaySettings {
  readonly attemptTimeoutMs: { readonly min: number; readonly max: number };
  readonly operationTimeoutMs: number;
  /** By how much, either way, another gateway's clock may differ, through which a client repeats a keyed write. */
  readonly clocksDifferMs: number;
}

/** Rules of a gateway, which a control may break. */
export interface BrokenGateway {
  /** OldAnswerTaken: it takes a failure from whichever attempt. */
  readonly takesOldFailures?: boolean;
  /** GatewayRepeatsFailure: it answers a repeat with the failure that it remembers. */
  readonly repeatsFailures?: boolean;
  /** GatewayRetriesOn: it goes on trying after the client's deadline. */
  readonly retriesOn?: boolean;
}

export interface RoutingMap {
  replicasOf(partition: PartitionIndex): readonly ShardOrdinal[];
  epochOf(partition: PartitionIndex): number;
}

export type Outcome =
  | { readonly kind: 'written'; readonly revision: number; readonly version: number }
  | { readonly kind: 'conditionFailed'; readonly revision: number; readonly version: number }
  | { readonly kind: 'absent' }
  | { readonly kind: 'row'; readonly row: Row | null }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'unknown' };

export type ClientRequest =
  | {
      readonly kind: 'write';
      readonly partition: PartitionIndex;
      readonly requestId: string;
      readonly operation: PutOperation | DeleteOperation;
    }
  | {
      readonly kind: 'read';
      readonly partition: PartitionIndex;
      readonly key: string;
      readonly maxStalenessMs: number | null | 'linearizable';
      /** Of a stale read: which replica is asked; left out, any. */
      readonly at?: ShardOrdinal;
    }
  | {
      readonly kind: 'scan';
      readonly partition: PartitionIndex;
      readonly maxStalenessMs: number | null | 'linearizable';
      readonly limitRows: number;
      readonly reverse: boolean;
    };

const REPEATS_REMEMBERED = 1_000;

interface Pending {
  readonly request: ClientRequest;
  readonly origin: HybridTime;
  deadline: number;
  done: (outcome: Outcome) => void;
  attempts: number;
  /** Another replica than the presumed leader is asked next: it may know better. Unless an answer comes first. */
  elsewhere: boolean;
  cancelTimer: () => void;
}

export class GatewayProcess implements Process<SimMessage> {
  readonly #host: Host<SimMessage>;
  readonly #settings: GatewaySettings;
  readonly #routing: RoutingMap;
  readonly #clock: GatewayClock;
  readonly #broken: BrokenGateway;
  readonly #repeats: RepeatMemory<Outcome>;
  readonly #leaders = new Map<PartitionIndex, LeaderNotice>();
  readonly #pending = new Map<number, Pending>();
  #nextOperation = 1;

  constructor(
    host: Host<SimMessage>,
    settings: GatewaySettings,
    { routing, broken }: { readonly routing: RoutingMap; readonly broken: BrokenGateway },
  ) {
    this.#host = host;
    this.#broken = broken;
    const replays = broken.repeatsFailures === true ? isAnswer : mayAnswerRepeats;
    this.#repeats = new RepeatMemory(REPEATS_REMEMBERED, replays);
    this.#settings = settings;
    this.#routing = routing;
    this.#clock = new GatewayClock(host);
  }

  get host(): Host<SimMessage> {
    return this.#host;
  }

  run(request: ClientRequest, done: (outcome: Outcome) => void): void {
    const repeatable = request.kind === 'write' && isKeyed(request.requestId) ? request.requestId : null;
    const answer = repeatable === null ? null : (this.#repeats.find(repeatable)?.answer ?? null);
    if (answer !== null) {
      done(answer);
      return;
    }
    const operation = this.#nextOperation;
    this.#nextOperation += 1;
    const origin = this.#clock.stamp();
    this.#pending.set(operation, {
      request,
      origin,
      deadline: this.#host.monotonicMs() + this.#settings.operationTimeoutMs,
      done: (outcome) => {
        if (repeatable !== null) this.#repeats.remember(repeatable, origin, outcome);
        done(outcome);
      },
      attempts: 0,
      elsewhere: false,
      cancelTimer: () => undefined,
    });
    this.#attempt(operation);
  }

  receive(_from: NodeId, message: SimMessage): void {
    this.#clock.merge(message.hybridTime);
    if (message.kind === 'leaders') {
      for (const notice of message.notices) this.#learnLeader(notice);
    } else if (message.kind === 'reply') {
      this.#take(message.attempt.operation, message.attempt.number, message.reply);
    }
  }

  #learnLeader(notice: LeaderNotice): void {
    const known = this.#leaders.get(notice.partition);
    if (known === undefined || notice.ballot > known.ballot) this.#leaders.set(notice.partition, notice);
  }

  #attempt(operation: number): void {
    const pending = this.#pending.get(operation);
    if (pending === undefined) return;
    pending.cancelTimer();
    if (this.#host.monotonicMs() >= pending.deadline) {
      if (this.#broken.retriesOn === true) this.#goOnUntold(pending);
      else {
        this.#finish(operation, { kind: 'unknown' });
        return;
      }
    }
    pending.attempts += 1;
    const { min, max } = this.#settings.attemptTimeoutMs;
    const timeoutMs = min + this.#host.prng.nextFloat() * (max - min);
    const { shard, body } = this.#address(pending);
    const attempt = { operation, number: pending.attempts };
    this.#host.send(shard, { kind: 'request', attempt, body, timeoutMs, hybridTime: this.#clock.stamp() });
    pending.elsewhere = this.#host.prng.nextBelow(3) === 0;
    this.#retryAfter(operation, pending, timeoutMs);
  }

  #goOnUntold(pending: Pending): void {
    pending.done({ kind: 'unknown' });
    pending.done = () => undefined;
    pending.deadline = Number.POSITIVE_INFINITY;
  }

  #retryAfter(operation: number, pending: Pending, delayMs: number): void {
    pending.cancelTimer();
    pending.cancelTimer = this.#host.after(delayMs, () => {
      this.#attempt(operation);
    });
  }

  #address({ request, origin, elsewhere }: Pending): { shard: ShardOrdinal; body: RequestBody } {
    const { partition } = request;
    const replicas = this.#routing.replicasOf(partition);
    const anyReplica = replicas[this.#host.prng.nextBelow(replicas.length)] ?? 0;
    const leader = this.#leaders.get(partition);
    const ownEpoch = this.#routing.epochOf(partition);
    const epoch = leader?.epoch ?? ownEpoch;
    const toLeader = presumed(leader, elsewhere) ?? anyReplica;
    switch (request.kind) {
      case 'write': {
        const { requestId, operation } = request;
        const ballot = leader?.ballot ?? 0;
        return {
          shard: toLeader,
          body: {
            kind: 'write',
            partition,
            epoch,
            ballot,
            requestId,
            origin: this.#originOf(requestId, origin),
            operation,
          },
        };
      }
      case 'read': {
        const { key } = request;
        const consistency = consistencyOf(request);
        const body = { kind: 'read', partition, key, consistency } as const;
        return isStale(request)
          ? { shard: request.at ?? anyReplica, body: { ...body, epoch: ownEpoch } }
          : { shard: toLeader, body: { ...body, epoch } };
      }
      case 'scan': {
        const { limitRows, reverse } = request;
        const consistency = consistencyOf(request);
        return {
          shard: isStale(request) ? anyReplica : toLeader,
          body: { ...WHOLE_SCAN, partitions: [partition], limitRows, reverse, consistency },
        };
      }
    }
  }

  /** A client that repeats a keyed write may reach another gateway, which does not know the first origin. */
  #originOf(requestId: string, first: HybridTime): HybridTime {
    if (!isKeyed(requestId)) return first;
    const { clocksDifferMs } = this.#settings;
    const aheadMs = clocksDifferMs === 0 ? 0 : (this.#host.prng.nextFloat() - 0.5) * clocksDifferMs;
    return this.#clock.stamp() + Math.floor(aheadMs * HYBRID_UNITS_PER_MS);
  }

  #take(operation: number, attempt: number, reply: ShardReply): void {
    const pending = this.#pending.get(operation);
    if (pending === undefined) return;
    const isLatest = attempt === pending.attempts;
    if (isLatest) pending.elsewhere = false;
    switch (reply.kind) {
      case 'written':
        this.#finish(operation, reply);
        return;
      case 'conditionFailed':
      case 'absent':
        if (!isLatest && this.#broken.takesOldFailures !== true) return;
        this.#finish(operation, reply);
        return;
      case 'row':
        this.#finish(operation, { kind: 'row', row: reply.row });
        return;
      case 'rows':
        if (reply.notLed.length === 0) this.#finish(operation, { kind: 'rows', rows: reply.rows });
        else if (isLatest) this.#forgetLeaderAndRetry(operation, pending);
        return;
      case 'notLeader':
        if (isLatest) this.#redirect(operation, pending, reply);
        return;
      case 'overloaded':
      case 'outcomeUnknown':
      case 'tooStale':
        if (isLatest) this.#retryAfter(operation, pending, 5 + this.#host.prng.nextFloat() * 40);
    }
  }

  #redirect(operation: number, pending: Pending, reply: Extract<ShardReply, { kind: 'notLeader' }>): void {
    const { partition } = pending.request;
    if (reply.ballot === 0 || reply.leader === 0) {
      this.#forgetLeaderAndRetry(operation, pending);
      return;
    }
    const { ballot, leader, epoch } = reply;
    const known = this.#leaders.get(partition);
    this.#learnLeader({ partition, ballot, leader, epoch });
    const isNews = known === undefined || ballot > known.ballot;
    this.#retryAfter(operation, pending, isNews ? 0 : 5 + this.#host.prng.nextFloat() * 30);
  }

  #forgetLeaderAndRetry(operation: number, pending: Pending): void {
    this.#leaders.delete(pending.request.partition);
    this.#retryAfter(operation, pending, 5 + this.#host.prng.nextFloat() * 30);
  }

  #finish(operation: number, outcome: Outcome): void {
    const pending = this.#pending.get(operation);
    if (pending === undefined) return;
    pending.cancelTimer();
    this.#pending.delete(operation);
    pending.done(outcome);
  }
}

function isAnswer({ kind }: Outcome): boolean {
  return kind !== 'unknown';
}

function presumed(leader: LeaderNotice | undefined, elsewhere: boolean): ShardOrdinal | undefined {
  return elsewhere ? undefined : leader?.leader;
}

interface Reading {
  readonly maxStalenessMs: number | null | 'linearizable';
}

function isStale({ maxStalenessMs }: Reading): boolean {
  return maxStalenessMs !== 'linearizable';
}

function consistencyOf({ maxStalenessMs }: Reading): ReadRequest['consistency'] {
  return maxStalenessMs === 'linearizable' ? { kind: 'linearizable' } : { kind: 'stale', maxStalenessMs };
}

const WHOLE_SCAN = {
  kind: 'scan',
  range: { start: '', end: null },
  keysOnly: false,
  limitBytes: 1 << 20,
} as const;
