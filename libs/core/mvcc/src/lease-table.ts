import { invariant } from '@ringleader/primitives';
import type { LeaseId } from './commands.js';

export interface Lease {
  readonly lease: LeaseId;
  readonly ttlMs: number;
}

interface LeaseEntry extends Lease {
  readonly keys: Set<string>;
}

/**
 * The leases that exist and the keys that hang on each. How long a lease has left is not here: deadlines live in the
 * leader's memory (they need a clock), and what ends a lease is a command.
 */
export class LeaseTable {
  readonly #leases = new Map<LeaseId, LeaseEntry>();
  /** Ids are never given twice, so that a late request with an old one cannot meet a stranger's lease. */
  #lastGranted: LeaseId;

  constructor(lastGranted: LeaseId = 0) {
    this.#lastGranted = lastGranted;
  }

  get lastGranted(): LeaseId {
    return this.#lastGranted;
  }

  get size(): number {
    return this.#leases.size;
  }

  has(lease: LeaseId): boolean {
    return this.#leases.has(lease);
  }

  get(lease: LeaseId): Lease | undefined {
    const entry = this.#leases.get(lease);
    return entry && { lease, ttlMs: entry.ttlMs };
  }

  /** What hangs on it. */
  keys(lease: LeaseId): readonly string[] {
    return [...(this.#leases.get(lease)?.keys ?? [])];
  }

  /** In ascending order of their ids. */
  list(): Lease[] {
    return [...this.#leases.values()].map(({ lease, ttlMs }) => ({ lease, ttlMs }));
  }

  grant(ttlMs: number): LeaseId {
    this.#lastGranted += 1;
    this.#leases.set(this.#lastGranted, { lease: this.#lastGranted, ttlMs, keys: new Set() });
    return this.#lastGranted;
  }

  /** For a snapshot, whose leases come in ascending order. */
  restore(lease: LeaseId, ttlMs: number): void {
    invariant(lease > 0 && lease <= this.#lastGranted && !this.#leases.has(lease), 'a lease of its own id');
    this.#leases.set(lease, { lease, ttlMs, keys: new Set() });
  }

  /** Ends a lease; gives back the keys that hung on it, or null if there is no such lease. */
  end(lease: LeaseId): ReadonlySet<string> | null {
    const entry = this.#leases.get(lease);
    if (entry === undefined) return null;
    this.#leases.delete(lease);
    return entry.keys;
  }

  attach(key: string, lease: LeaseId): void {
    if (lease === 0) return;
    const entry = this.#leases.get(lease);
    invariant(entry !== undefined, 'a key is attached to a lease that exists');
    entry.keys.add(key);
  }

  /** The lease may have ended just now. */
  detach(key: string, lease: LeaseId): void {
    this.#leases.get(lease)?.keys.delete(key);
  }
}
