/**
 * Drives one life of the Paxos core: events go in, and at the end of each turn of the event loop what the core has ready
 * goes out: the transaction, reads, messages, replies. It decides nothing about the protocol. It ends with the first
 * failure of the storage; then another life begins, with another core.
 */
import { appendPeerMessage, startPeerFrame } from '@ringleader/contracts';
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
import { FrameOutbox } from './frame-outbox.js';
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
  | 'releaseAll'
  | 'status'
>;

/** What the driver needs of `ShardStorage`. */
export interface DriverStorage {
  commit(transaction: StorageTransaction): Promise<void>;
  read(read: StorageRead): Promise<StorageReadResult>;
  removeGeneration(removal: GenerationRemoval): Promise<void>;
}

export interface ShardDriverOptions {
  readonly ordinal: ShardOrdinal;
  readonly core: Core;
  readonly storage: DriverStorage;
  readonly clock: ShardClock;
  readonly sendToPeer: (shard: ShardOrdinal, frame: Buffer) => void;
  readonly onReply: (reply: ShardReply) => void;
  readonly onEvent: (event: PaxosEvent) => void;
  /** After replies and events of a turn were handed over. */
  readonly onTurnEnd: () => void;
  readonly onTransaction: (transaction: StorageTransaction, durationMs: number) => void;
  /** Called once: the storage has failed. */
  readonly onFailure: (error: unknown) => void;
}

/** The core looks at its clocks at least so often. */
const TICK_MS_MAX = 500;

export class ShardDriver {
  private readonly peers: FrameOutbox<ShardOrdinal>;
  private readonly core: Core;
  private readonly clock: ShardClock;
  private isTurnPlanned = false;
  /** Did the core look at its clocks since the last turn? */
  private hasLooked = false;
  private isStopped = false;
  private timer: NodeJS.Timeout | null = null;
  private timerAt: MonotonicMs = Number.POSITIVE_INFINITY;
  private committing: Promise<void> = Promise.resolve();

  constructor(private readonly options: ShardDriverOptions) {
    const { ordinal, clock } = options;
    this.core = options.core;
    this.clock = clock;
    this.peers = new FrameOutbox({
      start: (writer) => startPeerFrame(writer, { from: ordinal, hybridTime: clock.stamp() }),
      send: options.sendToPeer,
    });
  }

  learnMap(assignments: readonly PartitionAssignment[]): void {
    this.look();
    this.core.learnMap(assignments, this.clock.monotonicMs());
    this.planTurn();
  }

  receive(from: ShardOrdinal, messages: readonly ShardMessage[]): void {
    this.look();
    for (const message of messages) this.core.receive(from, message, this.clock.monotonicMs());
    this.planTurn();
  }

  submit(requests: Iterable<ShardRequest>): void {
    this.look();
    for (const request of requests) this.core.submit(request, this.clock.monotonicMs());
    this.planTurn();
  }

  status(): ReturnType<Core['status']> {
    return this.core.status();
  }

  /** Gives up all leaderships, so that others can stand at once; resolves when what was under way is durable. */
  async release(): Promise<void> {
    this.core.releaseAll(this.clock.monotonicMs());
    this.turn();
    await this.committing;
    this.turn();
  }

  /** Nothing goes in or out any more. */
  stop(): void {
    this.isStopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  /**
   * The machine may have been suspended since the last turn, with inputs waiting: the core must find that out before it
   * works on any of them by a lease that is over (docs/PROTOCOL.md 4.4.6).
   */
  private look(): void {
    if (this.hasLooked || this.isStopped) return;
    this.hasLooked = true;
    this.core.tick(this.clock.monotonicMs(), this.clock.wallMs());
  }

  private planTurn(): void {
    if (this.isTurnPlanned || this.isStopped) return;
    this.isTurnPlanned = true;
    setImmediate(() => this.turn());
  }

  private turn(): void {
    this.isTurnPlanned = false;
    this.hasLooked = false;
    if (this.isStopped) return;
    const ready = this.core.takeReady();
    this.toStorage(ready);
    for (const { to, message } of ready.messages) {
      const writer = this.peers.frame(to);
      appendPeerMessage(writer, message);
      this.peers.appended(to, writer);
    }
    for (const reply of ready.replies) this.options.onReply(reply);
    for (const event of ready.events) this.options.onEvent(event);
    this.peers.flush();
    this.options.onTurnEnd();
    this.armTimer();
  }

  private toStorage(ready: Ready): void {
    if (ready.transaction !== null) this.commit(ready.transaction);
    for (const read of ready.reads) {
      this.options.storage.read(read).then(
        (result) => this.handBack(() => this.core.readDone(result, this.clock.monotonicMs())),
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
        this.handBack(() => this.core.transactionDurable(transaction.id, this.clock.monotonicMs()));
      },
      (error: unknown) => this.fail(error),
    );
  }

  private handBack(tell: () => void): void {
    if (this.isStopped) return;
    this.look();
    tell();
    this.planTurn();
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
    this.hasLooked = false;
    this.look();
    this.planTurn();
  }
}
