import { compareKeys, invariant } from '@ringleader/primitives';
import type { LeaseId } from './commands.js';

export interface Lease {
  readonly lease: LeaseId;
  readonly ttlMs: number;
}

interface LeaseEntry extends Lease {
  readonly keys: Set<string>;
}

/** What a lease adds to the size of the store: about what it takes in memory. */
export const LEASE_BYTES = 256;

/** Ids above are left to those who want one: the store gets there by none of its own for as long as it lives. */
const DRAWN_MAX = 2 ** 52;

/**
 * The leases that exist and the keys that hang on each. How long a lease has left is not here: deadlines live in the
 * leader's memory (they need a clock), and what ends a lease is a command.
 */
export class LeaseTable {
  readonly #leases = new Map<LeaseId, LeaseEntry>();
  /** The store itself never gives an id twice, so that a late request with an old one cannot meet a stranger's lease. */
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

  get sizeBytes(): number {
    return this.#leases.size * LEASE_BYTES;
  }

  has(lease: LeaseId): boolean {
    return this.#leases.has(lease);
  }

  get(lease: LeaseId): Lease | undefined {
    const entry = this.#leases.get(lease);
    return entry && { lease, ttlMs: entry.ttlMs };
  }

  /** What hangs on it, in order. */
  keys(lease: LeaseId): readonly string[] {
    return [...(this.#leases.get(lease)?.keys ?? [])].sort(compareKeys);
  }

  /** In ascending order of their ids. */
  list(): Lease[] {
    return [...this.#leases.values()]
      .map(({ lease, ttlMs }) => ({ lease, ttlMs }))
      .sort((a, b) => a.lease - b.lease);
  }

  /** Under the wanted id, which must be free, or under one that was never given, where that is 0. */
  grant(ttlMs: number, wanted: LeaseId): LeaseId {
    const lease = wanted === 0 ? this.#draw() : wanted;
    if (lease <= DRAWN_MAX) this.#lastGranted = Math.max(this.#lastGranted, lease);
    this.#add({ lease, ttlMs });
    return lease;
  }

  /** Passes over as many ids. */
  skip(count: number): void {
    this.#lastGranted = Math.min(this.#lastGranted + count, DRAWN_MAX);
  }

  /** For a snapshot. */
  restore(lease: Lease): void {
    this.#add(lease);
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

  #draw(): LeaseId {
    do this.#lastGranted += 1;
    while (this.#leases.has(this.#lastGranted));
    return this.#lastGranted;
  }

  #add({ lease, ttlMs }: Lease): void {
    invariant(lease > 0 && !this.#leases.has(lease), 'a lease has an id of its own');
    this.#leases.set(lease, { lease, ttlMs, keys: new Set() });
  }
}
