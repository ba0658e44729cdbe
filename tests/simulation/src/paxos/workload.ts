/** Clients: each asks one thing at a time, of few hot keys, and remembers what it saw to form conditions from. */
import { KEYED_ID_PREFIX } from '@ringleader/paxos';
import type { Condition, DeleteOperation, PutOperation } from '@ringleader/paxos';
import {
  HYBRID_UNITS_PER_MS,
  type HybridTime,
  type PartitionIndex,
  type Prng,
  type Revision,
} from '@ringleader/primitives';
import type { Ghost } from './ghost/ghost.js';
import { ABSENT, type ClientWrite, type KeyState, type WriteOutcome } from './ghost/operations.js';
import type { ClientRequest, GatewayProcess, Outcome } from './gateway.js';
import type { ClientEvent } from './client-history.js';
import { keysOfPartition } from './keys.js';

export interface WorkloadSettings {
  readonly clients: number;
  readonly keysPerPartition: number;
  readonly thinkMsMax: number;
  /** Of the clients of the first gateway, of the second, and so on; the last one is of all others too. */
  readonly mixes: readonly RequestMix[];
  readonly valueBytesMax: number;
  /** Every so many writes one is under a key of the client's own. */
  readonly keyedOneIn: number;
}

/** Relative frequencies. */
export type RequestMix = Readonly<Partial<Record<RequestKind, number>>>;

export type RequestKind =
  | 'put'
  /** With a time to live. */
  | 'expiring'
  | 'delete'
  | 'conditional'
  | 'read'
  | 'staleRead'
  | 'boundedRead'
  | 'scan'
  | 'staleScan'
  | 'boundedScan';

/** Shorter than a run, longer than a write takes. */
const TTL_MS = { min: 5, max: 300 };

export interface WorkloadContext {
  readonly ghost: Ghost;
  readonly gateways: readonly GatewayProcess[];
  readonly partitions: number;
  readonly now: () => number;
  readonly record: (event: ClientEvent) => void;
}

export interface RepeatingClient {
  /** Asks through that gateway; what it answers the client may hear or not. */
  ask(gatewayIndex: number, done: (outcome: Outcome) => void): void;
  /** What it holds for the answer in the end. */
  conclude(outcome: Outcome): void;
}

const UTF8 = new TextEncoder();

export class Workload {
  readonly #settings: WorkloadSettings;
  readonly #context: WorkloadContext;
  readonly #prng: Prng;
  readonly #seen = new Map<string, KeyState>();
  #operations = 0;
  #stopped = false;
  finished = 0;

  constructor(settings: WorkloadSettings, context: WorkloadContext, prng: Prng) {
    this.#settings = settings;
    this.#context = context;
    this.#prng = prng;
  }

  start(): void {
    for (let client = 0; client < this.#settings.clients; client += 1) this.#next(client);
  }

  stop(): void {
    this.#stopped = true;
  }

  #next(client: number): void {
    const gateway = this.#gatewayOf(client);
    gateway.host.after(this.#prng.nextFloat() * this.#settings.thinkMsMax, () => {
      if (!this.#stopped) {
        this.#runOne(client, gateway, this.#draw(client), () => {
          this.#next(client);
        });
      }
    });
  }

  /** For scripts: one request of a client of its own. */
  ask(request: ClientRequest, gatewayIndex = 0, done: (outcome: Outcome) => void = () => undefined): void {
    const gateway = this.#context.gateways[gatewayIndex] as GatewayProcess;
    this.#runOne(-1, gateway, request, done);
  }

  put(
    partition: PartitionIndex,
    key: string,
    conditions: readonly Condition[] = [],
    expiresAt: HybridTime | null = null,
  ): ClientRequest {
    const number = this.#operations + 1;
    const padding = '.'.repeat(this.#prng.nextBelow(this.#settings.valueBytesMax));
    const operation: PutOperation = {
      kind: 'put',
      key,
      value: UTF8.encode(`${String(number)}${padding}`),
      contentType: 'text/plain',
      expiresAt,
      conditions,
    };
    return this.#write(partition, operation);
  }

  delete(partition: PartitionIndex, key: string, conditions: readonly Condition[] = []): ClientRequest {
    return this.#write(partition, { kind: 'delete', key, conditions });
  }

  #write(partition: PartitionIndex, operation: PutOperation | DeleteOperation): ClientRequest {
    this.#operations += 1;
    const prefix = this.#operations % this.#settings.keyedOneIn === 0 ? KEYED_ID_PREFIX : '';
    return { kind: 'write', partition, requestId: `${prefix}w${String(this.#operations)}`, operation };
  }

  #runOne(
    client: number,
    gateway: GatewayProcess,
    request: ClientRequest,
    done: (outcome: Outcome) => void,
  ): void {
    const conclude = this.#begin(client, request);
    gateway.run(request, (outcome) => {
      conclude(outcome);
      done(outcome);
    });
  }

  /** For scripts: a client that does not hear each answer, and repeats its write through other gateways. */
  repeating(request: ClientRequest): RepeatingClient {
    const conclude = this.#begin(-1, request);
    return {
      ask: (gatewayIndex, done) => {
        (this.#context.gateways[gatewayIndex] as GatewayProcess).run(request, done);
      },
      conclude,
    };
  }

  /** Gives what is to be called with the client's answer. */
  #begin(client: number, request: ClientRequest): (outcome: Outcome) => void {
    const invokedAt = this.#context.now();
    const write = request.kind === 'write' ? this.#register(request, invokedAt) : null;
    const event: ClientEvent = { client, request, invokedAt, returnedAt: null, outcome: { kind: 'unknown' } };
    this.#context.record(event);
    return (outcome) => {
      this.finished += outcome.kind === 'unknown' ? 0 : 1;
      if (write !== null) this.#context.ghost.noteOutcome(write, outcomeOfWrite(outcome));
      this.#remember(request, outcome);
      event.returnedAt = this.#context.now();
      event.outcome = outcome;
    };
  }

  #register(request: Extract<ClientRequest, { kind: 'write' }>, invokedAt: number): ClientWrite {
    const { partition, requestId, operation } = request;
    const topAtInvoke: Revision = this.#context.ghost.partition(partition).committed.top;
    const write: ClientWrite = {
      kind: 'write',
      number: this.#operations,
      partition,
      requestId,
      body: operation,
      invokedAt,
      topAtInvoke,
      outcome: null,
      deliveries: new Map(),
    };
    this.#context.ghost.writes.set(requestId, write);
    return write;
  }

  #remember(request: ClientRequest, outcome: Outcome): void {
    if (request.kind === 'write') {
      if (outcome.kind === 'absent') this.#seen.set(request.operation.key, ABSENT);
      else if ('revision' in outcome) this.#seen.set(request.operation.key, outcome);
    } else if (request.kind === 'read' && outcome.kind === 'row') {
      this.#seen.set(request.key, outcome.row ?? ABSENT);
    }
  }

  #draw(client: number): ClientRequest {
    const partition = this.#prng.nextBelow(this.#context.partitions);
    const keys = keysOfPartition(partition, this.#settings.keysPerPartition);
    const key = keys[this.#prng.nextBelow(keys.length)] as string;
    switch (this.#drawKind(this.#mixOf(client))) {
      case 'put':
        return this.put(partition, key);
      case 'expiring': {
        const conditions = this.#prng.nextBelow(3) === 0 ? this.#drawConditions(key) : [];
        return this.put(partition, key, conditions, this.#drawExpiry(client));
      }
      case 'delete':
        return this.delete(partition, key);
      case 'conditional': {
        const conditions = this.#drawConditions(key);
        return this.#prng.nextBelow(4) === 0
          ? this.delete(partition, key, conditions)
          : this.put(partition, key, conditions);
      }
      case 'read':
        return { kind: 'read', partition, key, maxStalenessMs: 'linearizable' };
      case 'staleRead':
        return { kind: 'read', partition, key, maxStalenessMs: null };
      case 'boundedRead':
        return { kind: 'read', partition, key, maxStalenessMs: this.#drawBound() };
      case 'scan':
        return this.#drawScan(partition, 'linearizable');
      case 'staleScan':
        return this.#drawScan(partition, null);
      case 'boundedScan':
        return this.#drawScan(partition, this.#drawBound());
    }
  }

  #drawScan(partition: PartitionIndex, maxStalenessMs: number | null | 'linearizable'): ClientRequest {
    const limitRows = 1 + this.#prng.nextBelow(12);
    return { kind: 'scan', partition, limitRows, reverse: this.#prng.nextBelow(2) === 0, maxStalenessMs };
  }

  #drawBound(): number {
    return 20 + this.#prng.nextBelow(400);
  }

  /** By the clock of the client's gateway, as that would compute it from a time to live. */
  #drawExpiry(client: number): HybridTime {
    const ttlMs = TTL_MS.min + this.#prng.nextFloat() * (TTL_MS.max - TTL_MS.min);
    return Math.floor((this.#gatewayOf(client).host.wallMs() + ttlMs) * HYBRID_UNITS_PER_MS);
  }

  #drawKind(mix: RequestMix): RequestKind {
    const entries = Object.entries(mix) as [RequestKind, number][];
    let at = this.#prng.nextFloat() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [kind, weight] of entries) {
      at -= weight;
      if (at < 0) return kind;
    }
    return 'put';
  }

  #drawConditions(key: string): Condition[] {
    const { revision, version } = this.#seen.get(key) ?? ABSENT;
    switch (this.#prng.nextBelow(5)) {
      case 0:
        return [{ kind: 'ifAbsent' }];
      case 1:
        return [{ kind: 'ifPresent' }];
      case 2:
        return [{ kind: 'ifVersion', version: Math.max(1, version) }];
      case 3:
        return [{ kind: 'ifPresent' }, { kind: 'ifRevision', revision: Math.max(1, revision) }];
      default:
        return [{ kind: 'ifRevision', revision: Math.max(1, revision) }];
    }
  }

  #mixOf(client: number): RequestMix {
    const { mixes } = this.#settings;
    return mixes[Math.min(client % this.#context.gateways.length, mixes.length - 1)] ?? {};
  }

  #gatewayOf(client: number): GatewayProcess {
    return this.#context.gateways[client % this.#context.gateways.length] as GatewayProcess;
  }
}

function outcomeOfWrite(outcome: Outcome): WriteOutcome {
  switch (outcome.kind) {
    case 'written':
      return { kind: 'written', revision: outcome.revision };
    case 'conditionFailed':
    case 'absent':
      return { kind: 'failed' };
    default:
      return { kind: 'unknown' };
  }
}
