/**
 * What runs on a shard's machine: it registers first, and starts the shard when the coordinators say that its database is
 * the one that it was and still has its place. Then it keeps its lease, and tells of the moves of partitions that it leads.
 */
import type { PartitionReport } from '@ringleader/placement';
import type { PaxosShard } from '@ringleader/paxos';
import type { ShardOrdinal } from '@ringleader/primitives';
import type { Host, NodeId, Process } from '@ringleader/testing-simulation';
import type { ShardDatabase } from '../paxos/shard-database.js';
import type { SimMessage } from '../paxos/sim-messages.js';
import type { ControlLinks } from './control-links.js';
import type { Registration } from './coordinator-store.js';
import type { Coordinators } from './coordinators.js';

export interface Machine {
  readonly name: string;
  readonly zone: string;
  readonly weight: number;
  /** Of its database now. */
  ordinal: ShardOrdinal;
  /** Counts how often its database was restored. */
  timeline: number;
  /** Older copies of that database. */
  readonly copies: ShardDatabase[];
  isDown: boolean;
  /** It serves, as far as it knows itself. */
  isServing: boolean;
}

export interface MachineSurroundings {
  readonly machine: Machine;
  readonly coordinators: Coordinators;
  readonly links: ControlLinks;
  readonly database: () => ShardDatabase;
  /** Null before the shard is started. */
  readonly core: () => PaxosShard | null;
  readonly startShard: () => Process<SimMessage>;
  readonly beginAnew: (ordinal: ShardOrdinal) => void;
  readonly end: () => void;
}

const ASK_AGAIN_MS = 60;
const KEEP_ALIVE_MS = 100;
const LEASE_MS = 500;
const LOOK_AT_MOVES_MS = 20;
const SAY_AGAIN_MS = 250;

export class ShardMachine implements Process<SimMessage> {
  readonly #host: Host<SimMessage>;
  readonly #surroundings: MachineSurroundings;
  #shard: Process<SimMessage> | null = null;
  #isAnswered = false;
  #isOver = false;
  #said = '';
  #saidAt = 0;

  constructor(host: Host<SimMessage>, surroundings: MachineSurroundings) {
    this.#host = host;
    this.#surroundings = surroundings;
    this.#register();
  }

  receive(from: NodeId, message: SimMessage): void {
    this.#shard?.receive(from, message);
  }

  crashed(): void {
    this.#isOver = true;
    this.#shard?.crashed?.();
  }

  #register(): void {
    if (this.#isAnswered) return;
    const { machine, coordinators, links, database } = this.#surroundings;
    const { name: shardId, zone, weight, timeline } = machine;
    const facts = { shardId, zone, weight, timeline, ordinal: this.#host.id };
    const { incarnation } = database();
    links.send(shardId, () => {
      // What it does is conditional on what it read: nothing, when it comes late.
      if (!coordinators.hasLeader || this.#isAnswered || this.#isOver) return;
      const answer = coordinators.store.register({ ...facts, incarnation });
      links.send(shardId, () => {
        this.#host.enter(() => {
          this.#take(answer);
        });
      });
    });
    this.#host.after(ASK_AGAIN_MS, () => {
      this.#register();
    });
  }

  #take(answer: Registration): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    const { machine, startShard, beginAnew, end } = this.#surroundings;
    this.#host.trace('registered', machine.name, answer);
    if (answer.kind === 'anew') beginAnew(answer.ordinal);
    else if (answer.kind === 'removed') end();
    else {
      this.#shard = startShard();
      machine.isServing = true;
      this.#keepAlive();
      this.#lookAtMoves();
    }
  }

  /** Limits come back with it. */
  #keepAlive(): void {
    const { machine, coordinators, links, core } = this.#surroundings;
    links.send(machine.name, () => {
      coordinators.keepLease(machine.name, this.#host.id, LEASE_MS);
      const limits = coordinators.store.state.control?.limits;
      links.send(machine.name, () => {
        this.#host.enter(() =>
          core()?.setCopyRate(limits?.bytesPerSecondMax ?? Infinity, this.#host.monotonicMs()),
        );
      });
    });
    this.#host.after(KEEP_ALIVE_MS, () => {
      this.#keepAlive();
    });
  }

  /** On every change, and from time to time. */
  #lookAtMoves(): void {
    const { machine, coordinators, links, core } = this.#surroundings;
    const shard = core();
    const reports: readonly PartitionReport[] = shard?.moves() ?? [];
    const quietMs = shard?.quietMs;
    const news = JSON.stringify(reports);
    const now = this.#host.monotonicMs();
    if (shard !== null && (news !== this.#said || now >= this.#saidAt + SAY_AGAIN_MS)) {
      this.#saidAt = now;
      links.send(machine.name, () => {
        coordinators.report(this.#host.id, { reports, quietMs });
      });
    }
    this.#said = news;
    this.#host.after(LOOK_AT_MOVES_MS, () => {
      this.#lookAtMoves();
    });
  }
}
