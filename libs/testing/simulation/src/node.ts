/**
 * A machine that runs one process at a time. A process's timers and deliveries belong to its life: a crash drops them,
 * a pause holds them back until it ends, and then they all run at once, as after SIGCONT.
 */
import type { MonotonicMs, Prng, WallMs } from '@ringleader/primitives';
import type { EventQueue } from './event-queue.js';
import type { Network, NodeId } from './network.js';
import type { NodeClock } from './node-clock.js';
import type { Trace } from './trace.js';

/** What a process may use of its surroundings. Calls of a dead process do nothing. */
export interface Host<Message> {
  readonly id: NodeId;
  /** 1 for the first life of the node, raised by every restart. */
  readonly life: number;
  readonly prng: Prng;
  monotonicMs(): MonotonicMs;
  wallMs(): WallMs;
  /** Returns a function that cancels it. */
  at(monotonic: MonotonicMs, run: () => void): () => void;
  after(delayMs: number, run: () => void): () => void;
  /** Runs when the process runs: for what the outside (a disk, a database) has to tell this life. */
  enter(run: () => void): void;
  send(to: NodeId, message: Message): void;
  trace(what: string, ...details: readonly unknown[]): void;
}

export interface Process<Message> {
  receive(from: NodeId, message: Message): void;
  /** The process is gone, without a chance to do anything: storage loses what was not synced. */
  crashed?(): void;
}

export type Program<Message> = (host: Host<Message>) => Process<Message>;

export interface NodeSurroundings<Message> {
  readonly events: EventQueue;
  readonly trace: Trace;
  readonly clock: NodeClock;
  readonly prng: Prng;
  readonly network: () => Network<Message>;
}

export class SimulatedNode<Message> {
  readonly id: NodeId;
  readonly clock: NodeClock;
  readonly #surroundings: NodeSurroundings<Message>;
  readonly #program: Program<Message>;
  #process: Process<Message> | null = null;
  /** True from the start of the program on, that is before there is a process to deliver to. */
  #alive = false;
  #life = 0;
  #pauses = 0;
  #held: (() => void)[] = [];

  constructor(id: NodeId, program: Program<Message>, surroundings: NodeSurroundings<Message>) {
    this.id = id;
    this.clock = surroundings.clock;
    this.#surroundings = surroundings;
    this.#program = program;
  }

  get isUp(): boolean {
    return this.#alive;
  }

  get isPaused(): boolean {
    return this.#pauses > 0;
  }

  get life(): number {
    return this.#life;
  }

  start(): void {
    if (this.#alive) return;
    this.#alive = true;
    this.#life += 1;
    this.#note('started', this.#life);
    this.#process = this.#program(this.#hostOfLife(this.#life));
  }

  crash(): void {
    if (!this.#alive) return;
    const process = this.#process;
    this.#note('crashed');
    this.#alive = false;
    this.#process = null;
    this.#held = [];
    process?.crashed?.();
  }

  pause(): void {
    this.#pauses += 1;
    this.#note('paused');
  }

  resume(): void {
    if (this.#pauses === 0) return;
    this.#pauses -= 1;
    if (this.#pauses > 0) return;
    this.#note('resumed');
    const held = this.#held;
    this.#held = [];
    for (const run of held) run();
  }

  deliver(from: NodeId, message: Message): void {
    if (!this.#alive) return;
    this.#enter(this.#life, () => {
      this.#surroundings.trace.add(
        this.#surroundings.events.now,
        `${String(from)}>${String(this.id)}`,
        message,
      );
      this.#process?.receive(from, message);
    });
  }

  #enter(life: number, run: () => void): void {
    const guarded = (): void => {
      if (this.#isAlive(life)) run();
    };
    if (this.#pauses > 0) this.#held.push(guarded);
    else guarded();
  }

  #isAlive(life: number): boolean {
    return this.#alive && this.#life === life;
  }

  #note(what: string, ...details: readonly unknown[]): void {
    this.#surroundings.trace.add(
      this.#surroundings.events.now,
      `node ${String(this.id)} ${what}`,
      ...details,
    );
  }

  #hostOfLife(life: number): Host<Message> {
    const { events, clock, prng, network } = this.#surroundings;
    const runAt = (time: number, run: () => void): (() => void) => {
      const event = events.at(time, () => {
        this.#enter(life, run);
      });
      return () => {
        event.cancelled = true;
      };
    };
    return {
      id: this.id,
      life,
      prng,
      monotonicMs: () => clock.monotonicMs(),
      wallMs: () => clock.wallMs(),
      at: (monotonic, run) => runAt(clock.simulatedTimeOf(monotonic), run),
      after: (delayMs, run) => runAt(clock.simulatedTimeOf(clock.monotonicMs() + delayMs), run),
      enter: (run) => {
        this.#enter(life, run);
      },
      send: (to, message) => {
        if (this.#isAlive(life)) network().send(this.id, to, message);
      },
      trace: (what, ...details) => {
        this.#note(what, ...details);
      },
    };
  }
}
