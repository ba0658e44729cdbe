/**
 * The twin of an append-only log on a disk: what was synced survives a crash; of the rest a prefix may survive, and
 * the record after that prefix may be torn (its beginning is there, its checksum is wrong).
 */
import type { Prng } from '@ringleader/primitives';
import type { EventQueue } from './event-queue.js';

export interface StorageLatency {
  readonly minMs: number;
  readonly maxMs: number;
}

export interface RecoveredLog<Item> {
  readonly records: readonly Item[];
  /** A torn record followed; recovery cuts it off. */
  readonly torn: boolean;
}

export class SimulatedLog<Item> {
  readonly #events: EventQueue;
  readonly #prng: Prng;
  #latency: StorageLatency;
  #records: Item[] = [];
  #synced = 0;
  #torn = false;
  #crashes = 0;
  #replacements = 0;

  constructor(events: EventQueue, prng: Prng, latency: StorageLatency) {
    this.#events = events;
    this.#prng = prng;
    this.#latency = latency;
  }

  setLatency(latency: StorageLatency): void {
    this.#latency = latency;
  }

  append(records: readonly Item[]): void {
    this.#records.push(...records);
  }

  /** Everything appended before the call is durable when `done` runs. `done` does not run if a crash comes first. */
  sync(done: () => void): void {
    const upTo = this.#records.length;
    const crashes = this.#crashes;
    const replacements = this.#replacements;
    this.#events.after(drawLatency(this.#prng, this.#latency), () => {
      if (this.#crashes !== crashes) return;
      // What a replacement in between kept is durable already, and the positions are others.
      if (this.#replacements === replacements) this.#synced = Math.max(this.#synced, upTo);
      done();
    });
  }

  /** In place of all records before: what a snapshot or a new segment makes superfluous. Atomic and durable at once. */
  replaceWith(records: readonly Item[]): void {
    this.#records = [...records];
    this.#synced = this.#records.length;
    this.#replacements += 1;
  }

  crash(): void {
    this.#crashes += 1;
    const unsynced = this.#records.length - this.#synced;
    const survivors = unsynced === 0 ? 0 : this.#prng.nextBelow(unsynced + 1);
    this.#torn = survivors < unsynced && this.#prng.nextBelow(2) === 1;
    this.#records.length = this.#synced + survivors;
    this.#synced = this.#records.length;
  }

  /** What a start finds. */
  recover(): RecoveredLog<Item> {
    const torn = this.#torn;
    this.#torn = false;
    return { records: [...this.#records], torn };
  }
}

export function drawLatency(prng: Prng, latency: StorageLatency): number {
  return latency.minMs + prng.nextFloat() * (latency.maxMs - latency.minMs);
}
