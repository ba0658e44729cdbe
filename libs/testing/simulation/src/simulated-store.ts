/**
 * The twin of a transactional database with one writer. Work of the writer runs in order, one piece at a time; a
 * transaction takes effect at one instant, and its caller hears of it later. A crash of the caller in between leaves
 * the transaction durable or without any effect, which only a look at the state can tell. Readers beside the writer
 * see the state of one later instant.
 */
import type { Prng } from '@ringleader/primitives';
import type { EventQueue } from './event-queue.js';
import { drawLatency, type StorageLatency } from './simulated-log.js';

export class SimulatedStore<State> {
  /** What is durable. Changed by transactions only. */
  readonly state: State;
  readonly #events: EventQueue;
  readonly #prng: Prng;
  #latency: StorageLatency;
  /** Of reads beside the writer; null is the same. */
  #readLatency: StorageLatency | null = null;
  #writerFreeAt = 0;
  #session = 0;

  constructor(state: State, events: EventQueue, prng: Prng, latency: StorageLatency) {
    this.state = state;
    this.#events = events;
    this.#prng = prng;
    this.#latency = latency;
  }

  setLatency(latency: StorageLatency): void {
    this.#latency = latency;
  }

  /** Readers may be slower than the writer, or at other times; null is the same. */
  setReadLatency(latency: StorageLatency | null): void {
    this.#readLatency = latency;
  }

  /** In the writer's queue: `work` reads or changes the state at one instant, `done` gets its result later. */
  transact<Result>(work: (state: State) => Result, done: (result: Result) => void): void {
    const session = this.#session;
    const start = Math.max(this.#events.now, this.#writerFreeAt);
    const effectAt = start + drawLatency(this.#prng, this.#latency);
    const doneAt = effectAt + drawLatency(this.#prng, this.#latency) / 4;
    this.#writerFreeAt = doneAt;
    this.#runAt(effectAt, session, () => {
      const result = work(this.state);
      this.#runAt(doneAt, session, () => {
        done(result);
      });
    });
  }

  /** Beside the writer: `read` sees the state at some later instant. */
  read<Result>(read: (state: State) => Result, done: (result: Result) => void): void {
    const session = this.#session;
    const latency = this.#readLatency ?? this.#latency;
    this.#events.after(drawLatency(this.#prng, latency), () => {
      if (this.#session !== session) return;
      const result = read(this.state);
      this.#events.after(drawLatency(this.#prng, latency) / 2, () => {
        if (this.#session === session) done(result);
      });
    });
  }

  /** Ends the session: work that did not take effect never will, and nobody hears of what did. */
  crash(): void {
    this.#session += 1;
    this.#writerFreeAt = 0;
  }

  #runAt(time: number, session: number, run: () => void): void {
    this.#events.at(time, () => {
      if (this.#session === session) run();
    });
  }
}
