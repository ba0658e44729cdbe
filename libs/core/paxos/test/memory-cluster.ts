/**
 * Shards in one process on a clock that steps by the millisecond: every message takes one step, every transaction one,
 * unless the test sets another pace. Deterministic, without faults but those a test makes; the simulation is elsewhere.
 */
import { HYBRID_UNITS_PER_MS, seededPrng } from '@ringleader/primitives';
import type {
  OutgoingMessage,
  PartitionAssignment,
  PaxosEvent,
  PaxosLimits,
  PaxosRules,
  PaxosTimings,
  Ready,
  ShardMessage,
  ShardReply,
  ShardRequest,
  StorageRead,
  StorageReadResult,
  StorageTransaction,
  VerificationPace,
} from '../src/index.js';
import { PaxosShard, RULES } from '../src/index.js';
import { MemoryStorage } from '../src/testing/memory-storage.js';

export const TIMINGS: PaxosTimings = {
  leaseMs: 600,
  driftFraction: 0.1,
  heartbeatIntervalMs: 150,
  electionStaggerMs: 100,
  candidacyTimeoutMs: 400,
  resendIntervalMs: 50,
  repeatWindowMs: 1_500,
  clocksDifferMs: 500,
  purgeAfterMs: 3_600_000,
  purgeRestMs: 2_000,
};

export const LIMITS: PaxosLimits = {
  inFlightRevisionsMax: 4_096,
  requestsMax: 10_000,
  requestBytesMax: 1 << 26,
  requestBytesWanted: 1 << 22,
  batchRowsMax: 512,
  batchBytesMax: 1 << 20,
  repairRowsMax: 1_000,
  transactionBytesMax: 1 << 23,
  peerBacklogBytesMax: 1 << 24,
  repairBytesMax: 1 << 20,
  rowCacheBytesMax: 1 << 24,
  keyedBytesMax: 1 << 24,
  recentBytesMax: 1 << 24,
  tombstoneBytesMax: 1 << 24,
  keysBytesMax: 1 << 24,
  valueBytesBeforeWrites: 1 << 12,
};

/** How slow the machine is. */
export interface Pace {
  /** For how long a process is not scheduled after each of its turns. */
  readonly turnMs: () => number;
  readonly transactionMs: () => number;
}

const PROMPT: Pace = { turnMs: () => 0, transactionMs: () => 1 };

interface Node {
  readonly storage: MemoryStorage;
  shard: PaxosShard | null;
  incarnation: number;
  running: { readonly transaction: StorageTransaction; readonly durableAt: number } | null;
  /** What was there before the transaction that is running. */
  before: MemoryStorage | null;
  /** What arrived while the process was not scheduled. */
  inbox: Flight[];
  wakesAt: number;
  heldReads: StorageReadResult[];
}

interface Flight {
  readonly from: number;
  readonly message: OutgoingMessage;
}

export class MemoryCluster {
  now = 1_000;
  readonly nodes = new Map<number, Node>();
  readonly replies = new Map<number, ShardReply>();
  readonly events: { shard: number; at: number; event: PaxosEvent }[] = [];
  map: PartitionAssignment[] = [];
  /** Returns true for messages that are lost. */
  loses: (from: number, message: OutgoingMessage) => boolean = () => false;
  /** What arrives in place of a message. */
  changesMessage: (from: number, message: ShardMessage) => ShardMessage = (_from, message) => message;
  pace = PROMPT;
  /** Reads beside the writer show a transaction only when it is durable. */
  showsLate = false;
  /** Returns true for storage reads whose answers wait until `answerReads`. */
  holdsRead: (shard: number, read: StorageRead) => boolean = () => false;
  /** What the transport says that it still has of what was sent to a peer. */
  backlogBytes: (peer: number) => number = () => 0;
  heldSince: (peer: number) => number = () => Number.POSITIVE_INFINITY;
  messagesSent = 0;
  transactions = 0;
  private flights: Flight[] = [];
  private nextToken = 1;

  constructor(
    readonly ordinals: readonly number[],
    readonly limits: PaxosLimits = LIMITS,
    readonly timings: PaxosTimings & { readonly verification?: VerificationPace } = TIMINGS,
    readonly rules: PaxosRules = RULES,
  ) {
    for (const ordinal of ordinals) {
      this.nodes.set(ordinal, {
        storage: new MemoryStorage(),
        shard: null,
        incarnation: 0,
        running: null,
        before: null,
        inbox: [],
        wakesAt: 0,
        heldReads: [],
      });
      this.start(ordinal);
    }
  }

  start(ordinal: number): void {
    const node = this.node(ordinal);
    node.incarnation += 1;
    node.running = null;
    node.before = null;
    node.shard = new PaxosShard({
      ordinal,
      incarnation: node.incarnation,
      timings: this.timings,
      limits: this.limits,
      records: [...node.storage.records.values()],
      stamp: () => this.now * HYBRID_UNITS_PER_MS,
      prng: seededPrng(ordinal * 1_000 + node.incarnation),
      startedAt: this.now,
      rules: this.rules,
      ...(this.timings.verification && { verification: this.timings.verification }),
      backlog: {
        bytes: (peer) => this.backlogBytes(peer),
        heldSince: (peer) => this.heldSince(peer),
        holds: () => false,
      },
    });
    node.shard.learnMap(this.map, this.now);
  }

  kill(ordinal: number): void {
    const node = this.node(ordinal);
    node.shard = null;
    node.running = null;
    node.before = null;
    node.inbox = [];
    node.heldReads = [];
    node.wakesAt = 0;
  }

  /** The process is not scheduled for so long; what is sent to it waits. */
  pause(ordinal: number, ms: number): void {
    this.node(ordinal).wakesAt = this.now + ms;
  }

  learn(map: PartitionAssignment[]): void {
    this.map = map;
    for (const { shard } of this.nodes.values()) shard?.learnMap(map, this.now);
  }

  shard(ordinal: number): PaxosShard {
    const { shard } = this.node(ordinal);
    if (shard === null) throw new Error(`shard ${ordinal} is down`);
    return shard;
  }

  storage(ordinal: number): MemoryStorage {
    return this.node(ordinal).storage;
  }

  submit(ordinal: number, make: (token: number) => ShardRequest): number {
    const token = this.nextToken;
    this.nextToken += 1;
    this.shard(ordinal).submit(make(token), this.now);
    return token;
  }

  answerReads(ordinal: number): void {
    const node = this.node(ordinal);
    for (const result of node.heldReads.splice(0)) node.shard?.readDone(result, this.now);
  }

  /** One millisecond: what was sent arrives, what was handed to storages is done. */
  step(): void {
    this.now += 1;
    const arriving = this.flights;
    this.flights = [];
    for (const flight of arriving) this.nodes.get(flight.message.to)?.inbox.push(flight);
    for (const [ordinal, node] of this.nodes) this.turn(ordinal, node);
  }

  run(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) this.step();
  }

  /** Runs until the condition holds; how long it took. */
  until(condition: () => boolean, timeoutMs = 10_000): number {
    const start = this.now;
    while (!condition()) {
      if (this.now > start + timeoutMs) throw new Error(`not within ${timeoutMs} ms`);
      this.step();
    }
    return this.now - start;
  }

  leaderOf(partition: number): number {
    for (const [ordinal, { shard }] of this.nodes) {
      const status = shard?.status().find((entry) => entry.partition === partition);
      if (status?.role === 'leader' && status.serving) return ordinal;
    }
    return 0;
  }

  ballotOf(partition: number): number {
    const leader = this.leaderOf(partition);
    return (
      this.shard(leader)
        .status()
        .find((entry) => entry.partition === partition)?.ballot ?? 0
    );
  }

  private turn(ordinal: number, node: Node): void {
    const { shard, inbox, running } = node;
    node.inbox = [];
    if (shard === null) return;
    if (this.now < node.wakesAt) {
      node.inbox = inbox;
      return;
    }
    const isDurable = running !== null && this.now >= running.durableAt;
    const isDue = this.now >= shard.nextDeadline();
    // Timers first, then the sockets: that is how an event loop wakes.
    if (isDue || isDurable || inbox.length > 0) {
      shard.tick(this.now, this.now);
      node.wakesAt = this.now + this.pace.turnMs();
    }
    if (isDurable) {
      node.running = null;
      node.before = null;
      node.before = null;
      shard.transactionDurable(running.transaction.id, this.now);
    }
    for (const { from, message } of inbox) shard.receive(from, message.message, this.now);
    this.perform(ordinal, node, shard.takeReady());
  }

  private perform(ordinal: number, node: Node, ready: Ready): void {
    for (const message of ready.messages) {
      if (this.loses(ordinal, message)) continue;
      const changed = this.changesMessage(ordinal, message.message);
      this.flights.push({ from: ordinal, message: { to: message.to, message: changed } });
    }
    for (const reply of ready.replies) this.replies.set(reply.token, reply);
    for (const event of ready.events) this.events.push({ shard: ordinal, at: this.now, event });
    this.messagesSent += ready.messages.length;
    if (ready.transaction !== null) this.transact(node, ready.transaction);
    const results: StorageReadResult[] = [];
    for (const read of ready.reads) {
      const result = storageFor(node, read).read(read);
      if (this.holdsRead(ordinal, read)) node.heldReads.push(result);
      else results.push(result);
    }
    for (const { partition, generation } of ready.removals)
      node.storage.removeGeneration({ partition, generation });
    for (const result of results) node.shard?.readDone(result, this.now);
  }

  private transact(node: Node, transaction: StorageTransaction): void {
    this.transactions += 1;
    node.running = { transaction, durableAt: this.now + this.pace.transactionMs() };
    if (this.showsLate) {
      node.before = new MemoryStorage();
      node.storage.copyInto(node.before);
    }
    node.storage.apply(transaction);
  }

  private node(ordinal: number): Node {
    const node = this.nodes.get(ordinal);
    if (node === undefined) throw new Error(`no shard ${ordinal}`);
    return node;
  }
}

function storageFor({ storage, before }: Node, { kind }: StorageRead): MemoryStorage {
  const isInOrder = kind === 'delta' || kind === 'page';
  return isInOrder ? storage : (before ?? storage);
}
