/**
 * Drives one PaxosShard as a shard's shell does: one inbox, one transaction at a time, everything in the order that the
 * core asks for. Whatever it does is shown to the observer, which judges it.
 */
import {
  PaxosShard,
  type PartitionAssignment,
  type PaxosLimits,
  type PaxosRules,
  type Ready,
  type StorageRead,
} from '@ringleader/paxos';
import { HybridClock } from '@ringleader/hybrid-clock';
import type { Epoch, PartitionIndex, ShardOrdinal } from '@ringleader/primitives';
import type { Host, NodeId, Process, SimulatedStore } from '@ringleader/testing-simulation';
import { PacedRows } from './paced-rows.js';
import type { ShardDatabase } from './shard-database.js';
import type { ShardLife, ShardObserver } from './shard-observer.js';
import type { ClusterSettings } from './settings.js';
import type { Attempt, LeaderNotice, RequestBody, SimMessage } from './sim-messages.js';

export interface ShardSurroundings {
  readonly settings: ClusterSettings;
  readonly rules: PaxosRules;
  readonly store: SimulatedStore<ShardDatabase>;
  readonly observer: ShardObserver;
  readonly gateways: readonly NodeId[];
  readonly keepsRows: boolean;
  /** The map as this shard may read it at its start. */
  readonly readMap: () => readonly PartitionAssignment[];
}

const ANNOUNCE_INTERVAL_MS = 150;

/** Half of what a repair carries, so that it can undo them with the batch that tells of their commit. */
function inFlightMax({ inFlightRevisionsMax, repairRowsMax }: PaxosLimits): number {
  return Math.min(inFlightRevisionsMax, Math.max(1, Math.floor(repairRowsMax / 2)));
}

interface Asked {
  readonly gateway: NodeId;
  readonly attempt: Attempt;
}

export class ShardProcess implements Process<SimMessage> {
  readonly core: PaxosShard;
  readonly #host: Host<SimMessage>;
  readonly #self: ShardLife;
  readonly #surroundings: ShardSurroundings;
  readonly #clock: HybridClock;
  readonly #rows: PacedRows;
  readonly #asked = new Map<number, Asked>();
  readonly #epochs = new Map<PartitionIndex, Epoch>();
  #nextToken = 1;
  #turnScheduled = false;
  #cancelDeadline: () => void = () => undefined;

  constructor(host: Host<SimMessage>, surroundings: ShardSurroundings) {
    this.#host = host;
    this.#self = { shard: host.id, life: host.life };
    this.#surroundings = surroundings;
    this.#clock = new HybridClock(host);
    this.#rows = new PacedRows(surroundings.settings.rowPace, {
      monotonicMs: () => host.monotonicMs(),
      after: (delayMs, run) => void host.after(delayMs, run),
      send: ({ to, message }) => {
        host.send(to, { kind: 'peer', message, hybridTime: this.#clock.stamp() });
      },
    });
    const database = surroundings.store.state;
    database.incarnation += 1;
    database.removeUnnamedGenerations();
    const { verification } = surroundings.settings;
    this.core = new PaxosShard({
      ordinal: host.id,
      incarnation: database.incarnation,
      timings: surroundings.settings.timings,
      limits: surroundings.settings.limits,
      records: [...database.records.values()],
      stamp: this.#clock.stamp,
      prng: host.prng,
      rules: surroundings.rules,
      startedAt: host.monotonicMs(),
      backlog: this.#rows,
      ...(verification && { verification }),
    });
    this.learnMap(surroundings.readMap());
    this.#announceFromTimeToTime();
  }

  receive(from: NodeId, message: SimMessage): void {
    this.#look();
    this.#clock.merge(message.hybridTime);
    if (message.kind === 'peer') {
      this.core.receive(from, message.message, this.#host.monotonicMs());
    } else if (message.kind === 'request') {
      this.#submit(from, message.attempt, message.body, message.timeoutMs);
    }
    this.#endTurn();
  }

  crashed(): void {
    this.#surroundings.store.crash();
  }

  learnMap(assignments: readonly PartitionAssignment[]): void {
    const newer = assignments.filter(({ partition, epoch }) => epoch > (this.#epochs.get(partition) ?? 0));
    for (const { partition, epoch } of newer) this.#epochs.set(partition, epoch);
    if (newer.length === 0) return;
    this.core.learnMap(newer, this.#host.monotonicMs());
    this.#endTurn();
  }

  leave(): void {
    this.core.leave(this.#host.monotonicMs());
    this.#endTurn();
  }

  releaseAll(): void {
    this.core.releaseAll(this.#host.monotonicMs());
    this.#endTurn();
  }

  #submit(gateway: NodeId, attempt: Attempt, body: RequestBody, timeoutMs: number): void {
    const token = this.#nextToken;
    this.#nextToken += 1;
    this.#asked.set(token, { gateway, attempt });
    const now = this.#host.monotonicMs();
    this.#surroundings.observer.asked(this.#self, token, body, this.#clock.stamp());
    this.core.submit({ ...body, token, deadline: now + timeoutMs }, now);
  }

  /** Several inputs may come before the core is asked what to do, as in one turn of an event loop. */
  #endTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.#host.after(this.#host.prng.nextFloat() * this.#surroundings.settings.turnMs, () => {
      this.#turnScheduled = false;
      this.#look();
      this.#carryOut(this.core.takeReady());
      this.#scheduleDeadline();
    });
  }

  /** Before anything else in a turn: the machine may have been suspended, and leases with it (4.4.6). */
  #look(): void {
    this.core.tick(this.#host.monotonicMs(), this.#host.wallMs());
  }

  #scheduleDeadline(): void {
    this.#cancelDeadline();
    const deadline = this.core.nextDeadline();
    if (deadline === Number.POSITIVE_INFINITY) return;
    this.#cancelDeadline = this.#host.at(Math.max(deadline, this.#host.monotonicMs()), () => {
      this.#endTurn();
    });
  }

  #carryOut(ready: Ready): void {
    const { store, observer, keepsRows } = this.#surroundings;
    observer.readyTaken(this.#self, ready, {
      statuses: this.core.status(),
      database: store.state,
      inFlightMax: inFlightMax(this.#surroundings.settings.limits),
    });
    if (ready.transaction !== null) this.#runTransaction(ready.transaction);
    for (const read of ready.reads) this.#runRead(read);
    for (const { partition, generation } of keepsRows ? [] : ready.removals) {
      store.state.removeGeneration({ partition, generation });
    }
    for (const message of ready.messages) this.#rows.send(message);
    for (const reply of ready.replies) {
      const asked = this.#asked.get(reply.token);
      if (asked === undefined) continue;
      this.#asked.delete(reply.token);
      observer.answered(this.#self, reply.token, reply);
      const hybridTime = this.#clock.stamp();
      this.#host.send(asked.gateway, { kind: 'reply', attempt: asked.attempt, reply, hybridTime });
    }
    if (ready.events.some((event) => event.kind === 'leading')) this.#announce();
  }

  #runTransaction(transaction: NonNullable<Ready['transaction']>): void {
    const { store, observer } = this.#surroundings;
    this.#host.trace('transaction', transaction);
    store.transact(
      (database) => {
        observer.transactionTakesEffect(this.#host.id, database, transaction);
      },
      () => {
        this.#host.enter(() => {
          this.#look();
          this.core.transactionDurable(transaction.id, this.#host.monotonicMs());
          this.#endTurn();
        });
      },
    );
  }

  #runRead(read: StorageRead): void {
    const { store } = this.#surroundings;
    const inOrder = read.kind === 'delta' || read.kind === 'page' || read.kind === 'digests';
    const run = inOrder ? store.transact.bind(store) : store.read.bind(store);
    run(
      (database) => database.read(read),
      (result) => {
        this.#host.enter(() => {
          this.#look();
          this.core.readDone(result, this.#host.monotonicMs());
          this.#endTurn();
        });
      },
    );
  }

  #announceFromTimeToTime(): void {
    this.#host.after(ANNOUNCE_INTERVAL_MS, () => {
      this.#announce();
      this.#announceFromTimeToTime();
    });
  }

  #announce(): void {
    const leader: ShardOrdinal = this.#host.id;
    const notices: LeaderNotice[] = this.core
      .status()
      .filter((status) => status.role === 'leader' && status.serving)
      .map(({ partition, epoch, ballot }) => ({ partition, epoch, ballot, leader }));
    if (notices.length === 0) return;
    const message = { kind: 'leaders', notices, hybridTime: this.#clock.stamp() } as const;
    for (const gateway of this.#surroundings.gateways) this.#host.send(gateway, message);
  }
}
