/**
 * Drives one life of the Paxos core. What arrives is taken in; in the next turn the clocks are read, once, the core works
 * on all of it by that reading, and what it has ready goes out: the transaction, reads, messages, replies. It decides
 * nothing about the protocol. It ends with the first failure of the storage; then another life begins, with another core.
 */
import type {
  PartitionAssignment,
  PaxosEvent,
  PaxosShard,
  Ready,
  ShardMessage,
  ShardReply,
  ShardRequest,
  StorageRead,
  StorageReadResult,
  StorageTransaction,
  GenerationRemoval,
} from '@ringleader/paxos';
import type { MonotonicMs, ShardOrdinal } from '@ringleader/primitives';
import type { DataPath } from './data-path.js';
import { PeerOutbox, type PeerSending } from './peer-outbox.js';
import type { ShardClock } from './shard-clock.js';

export type Core = Pick<
  PaxosShard,
  | 'learnMap'
  | 'receive'
  | 'submit'
  | 'transactionDurable'
  | 'readDone'
  | 'tick'
  | 'nextDeadline'
  | 'takeReady'
  | 'leave'
  | 'releaseAll'
  | 'leadsNothing'
  | 'hasLeft'
  | 'hasRoomForRows'
  | 'hasRoomForRequests'
  | 'status'
  | 'moves'
  | 'quietMs'
  | 'purging'
  | 'setCopyRate'
  | 'verify'
  | 'verified'
  | 'promisesFrom'
>;

/** What the driver needs of `ShardStorage`. */
export interface DriverStorage {
  commit(transaction: StorageTransaction): Promise<void>;
  read(read: StorageRead): Promise<StorageReadResult>;
  removeGeneration(removal: GenerationRemoval): Promise<void>;
  removeLeftovers(): Promise<void>;
}

export interface ShardDriverOptions {
  readonly ordinal: ShardOrdinal;
  readonly core: Core;
  readonly storage: DriverStorage;
  readonly clock: ShardClock;
  readonly peers: PeerSending & Pick<DataPath, 'limit' | 'roomChanged'>;
  readonly onReply: (reply: ShardReply) => void;
  readonly onEvent: (event: PaxosEvent) => void;
  /** After replies and events of a turn were handed over. */
  readonly onTurnEnd: () => void;
  readonly onTransaction: (transaction: StorageTransaction, durationMs: number) => void;
  /** Called once: the storage has failed. */
  readonly onFailure: (error: unknown) => void;
}

/** Something for the core to work on, by the turn's reading of the clock. */
type Input = (now: MonotonicMs) => void;

/** The core looks at its clocks at least so often. */
const TICK_MS_MAX = 500;
/** Whoever is chosen stands at once; where that message is lost, another one after a stagger. */
const STOOD_WITHIN_MS = 300;

export class ShardDriver {
  private readonly peers: PeerOutbox;
  private readonly core: Core;
  private readonly clock: ShardClock;
  private isTurnPlanned = false;
  private inputs: Input[] = [];
  private isStopped = false;
  private timer: NodeJS.Timeout | null = null;
  private timerAt: MonotonicMs = Number.POSITIVE_INFINITY;
  private committing: Promise<void> = Promise.resolve();
  /** What somebody waits for who leaves. */
  private awaited: { readonly isSo: () => boolean; readonly resolve: () => void } | null = null;

  constructor(private readonly options: ShardDriverOptions) {
    const { ordinal, clock } = options;
    this.core = options.core;
    this.clock = clock;
    this.peers = new PeerOutbox(ordinal, clock, options.peers);
    options.peers.limit({
      forPeers: () => this.isStopped || this.core.hasRoomForRows,
      forGateways: () => this.isStopped || this.core.hasRoomForRequests,
    });
    options.storage.removeLeftovers().catch((error: unknown) => this.fail(error));
  }

  learnMap(assignments: readonly PartitionAssignment[]): void {
    this.takeIn((now) => this.core.learnMap(assignments, now));
  }

  setCopyRate(bytesPerSecond: number): void {
    this.takeIn((now) => this.core.setCopyRate(bytesPerSecond, now));
  }

  receive(from: ShardOrdinal, messages: readonly ShardMessage[]): void {
    this.takeIn((now) => {
      for (const message of messages) this.core.receive(from, message, now);
    });
  }

  submit(requests: Iterable<ShardRequest>): void {
    const arrived = [...requests];
    this.takeIn((now) => {
      for (const request of arrived) this.core.submit(request, now);
    });
  }

  status(): ReturnType<Core['status']> {
    return this.core.status();
  }

  moves(...args: Parameters<Core['moves']>): ReturnType<Core['moves']> {
    return this.core.moves(...args);
  }

  get quietMs(): Core['quietMs'] {
    return this.core.quietMs;
  }

  purging(): ReturnType<Core['purging']> {
    return this.core.purging();
  }

  /** Has all that is led compared once, for this run; null: no more. */
  verify(run: string | null): void {
    this.takeIn((now) => this.core.verify(run, now));
  }

  verified(): ReturnType<Core['verified']> {
    return this.core.verified();
  }

  get promisesFrom(): MonotonicMs {
    return this.core.promisesFrom;
  }

  /**
   * Hands over all that is led, within this time; what is left of it then is given up, so that others can stand at once.
   * Resolves when what was under way is durable, and others have stood for it or had the time to.
   */
  async leave(withinMs: number): Promise<void> {
    this.takeIn((now) => this.core.leave(now));
    await this.until(withinMs, () => this.core.leadsNothing);
    this.takeIn((now) => this.core.releaseAll(now));
    this.turn();
    await this.committing;
    this.turn();
    await this.until(STOOD_WITHIN_MS, () => this.core.hasLeft);
  }

  /** Of the core after one of its next turns; also when it has ended, or not in time. */
  private async until(withinMs: number, isSo: () => boolean): Promise<void> {
    if (this.isStopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const limit = setTimeout(resolve, withinMs);
    this.awaited = { isSo, resolve };
    this.planTurn();
    await promise;
    this.awaited = null;
    clearTimeout(limit);
  }

  /** Nothing goes in or out any more. */
  stop(): void {
    this.isStopped = true;
    // Nobody waits for room here any more, where there may be no next life for long.
    this.options.peers.roomChanged();
    this.awaited?.resolve();
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private takeIn(input: Input): void {
    if (this.isStopped) return;
    this.inputs.push(input);
    this.planTurn();
  }

  private planTurn(): void {
    if (this.isTurnPlanned || this.isStopped) return;
    this.isTurnPlanned = true;
    setImmediate(() => this.turn());
  }

  private turn(): void {
    this.isTurnPlanned = false;
    if (this.isStopped) return;
    this.work();
    const ready = this.core.takeReady();
    this.toStorage(ready);
    for (const message of ready.messages) this.peers.add(message);
    for (const reply of ready.replies) this.options.onReply(reply);
    for (const event of ready.events) this.options.onEvent(event);
    this.peers.flush();
    this.options.peers.roomChanged();
    this.options.onTurnEnd();
    if (this.awaited?.isSo() === true) this.awaited.resolve();
    this.armTimer();
  }

  /**
   * The machine may have been suspended at any moment, with inputs waiting: the core must find that out before it works on
   * any of them by a lease that is over (docs/PROTOCOL.md 4.4.6). The monotonic clock first: a pause between the two
   * readings can then only look like a jump.
   */
  private work(): void {
    const now = this.clock.monotonicMs();
    this.core.tick(now, this.clock.wallMs());
    const inputs = this.inputs;
    this.inputs = [];
    for (const input of inputs) input(now);
  }

  private toStorage(ready: Ready): void {
    if (ready.transaction !== null) this.commit(ready.transaction);
    for (const read of ready.reads) {
      this.options.storage.read(read).then(
        (result) => this.takeIn((now) => this.core.readDone(result, now)),
        (error: unknown) => this.fail(error),
      );
    }
    for (const removal of ready.removals) {
      this.options.storage.removeGeneration(removal).catch((error: unknown) => this.fail(error));
    }
  }

  private commit(transaction: StorageTransaction): void {
    const startedAt = this.clock.monotonicMs();
    this.committing = this.options.storage.commit(transaction).then(
      () => {
        this.options.onTransaction(transaction, this.clock.monotonicMs() - startedAt);
        this.takeIn((now) => this.core.transactionDurable(transaction.id, now));
      },
      (error: unknown) => this.fail(error),
    );
  }

  private fail(error: unknown): void {
    if (this.isStopped) return;
    this.stop();
    this.options.onFailure(error);
  }

  private armTimer(): void {
    const now = this.clock.monotonicMs();
    const at = Math.min(this.core.nextDeadline(), now + TICK_MS_MAX);
    if (this.timer !== null && this.timerAt <= at) return;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(() => this.tick(), Math.max(0, Math.ceil(at - now)));
  }

  private tick(): void {
    this.timer = null;
    this.planTurn();
  }
}
