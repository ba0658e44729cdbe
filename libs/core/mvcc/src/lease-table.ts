import { compareKeys, invariant } from '@ringleader/primitives';
import type { LeaseId } from './commands.js';

export interface Lease {
  readonly lease: LeaseId;
  readonly ttlMs: number;
}

interface LeaseEntry extends Lease {
  /** Tells it from others that had its id: the how-manieth it was that had a wanted id; 0 where the store drew the id. */
  readonly grant: number;
  readonly keys: Set<string>;
}

/** Which of several leases with this id, over time, it is. */
export interface WantedGrant {
  readonly lease: LeaseId;
  readonly grant: number;
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
  #wantedGrants: number;

  constructor(lastGranted: LeaseId = 0, wantedGrants = 0) {
    this.#lastGranted = lastGranted;
    this.#wantedGrants = wantedGrants;
  }

  get lastGranted(): LeaseId {
    return this.#lastGranted;
  }

  /** How many leases were granted under ids that were wanted, which may be given again. */
  get wantedGrants(): number {
    return this.#wantedGrants;
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

  keyCount(lease: LeaseId): number {
    return this.#leases.get(lease)?.keys.size ?? 0;
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
    if (wanted !== 0) this.#wantedGrants += 1;
    this.#add({ lease, ttlMs }, wanted === 0 ? 0 : this.#wantedGrants);
    return lease;
  }

  /** Passes over as many ids. */
  skip(count: number): void {
    this.#lastGranted = Math.min(this.#lastGranted + count, DRAWN_MAX);
  }

  /** For a snapshot: those that had wanted ids, in ascending order of these. */
  grants(): WantedGrant[] {
    const wanted = [...this.#leases.values()].filter(({ grant }) => grant > 0);
    return wanted.map(({ lease, grant }) => ({ lease, grant })).sort((a, b) => a.lease - b.lease);
  }

  /** From a snapshot. */
  restore(lease: Lease, grant: number): void {
    this.#add(lease, grant);
  }

  /** Ends a lease; gives back the keys that hung on it, or null if there is no such lease, or it was granted since `asOf`. */
  end(lease: LeaseId, asOf: number): ReadonlySet<string> | null {
    const entry = this.#leases.get(lease);
    if (entry === undefined || entry.grant > asOf) return null;
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

  #add({ lease, ttlMs }: Lease, grant: number): void {
    invariant(lease > 0 && !this.#leases.has(lease), 'a lease has an id of its own');
    this.#leases.set(lease, { lease, ttlMs, grant, keys: new Set() });
  }
}
