/**
 * When the leases run out, as the leader of one term counts it: in memory only, on a monotonic clock. Deadlines err on
 * one side: a new leader gives every lease its full time again, and a renewal counts only after a majority has
 * confirmed the leader, so no lease ends before the time that its holder was promised.
 */
import type { MonotonicMs } from '@ringleader/primitives';
import type { LeaseId } from './commands.js';
import type { Lease } from './lease-table.js';

interface Deadline {
  readonly ttlMs: number;
  at: MonotonicMs;
  /** Its end was proposed, and may still be decided: it can no longer be renewed. */
  isEnding: boolean;
}

export class LeaseDeadlines {
  readonly #deadlines = new Map<LeaseId, Deadline>();

  constructor(
    /** The leadership that these deadlines belong to. */
    readonly term: number,
    leases: readonly Lease[],
    now: MonotonicMs,
  ) {
    this.reset(leases, now);
  }

  /** Every lease gets its full time from now. */
  reset(leases: readonly Lease[], now: MonotonicMs): void {
    this.#deadlines.clear();
    for (const lease of leases) this.add(lease, now);
  }

  add({ lease, ttlMs }: Lease, now: MonotonicMs): void {
    this.#deadlines.set(lease, { ttlMs, at: now + ttlMs, isEnding: false });
  }

  remove(lease: LeaseId): void {
    this.#deadlines.delete(lease);
  }

  /** The time to live from `now` on, or null when the lease is gone or on its way. */
  renew(lease: LeaseId, now: MonotonicMs): number | null {
    const deadline = this.#deadlines.get(lease);
    if (deadline === undefined || deadline.isEnding) return null;
    deadline.at = now + deadline.ttlMs;
    return deadline.ttlMs;
  }

  /** What is left of a lease, none while its end is being decided; null when it is gone. */
  remainingMs(lease: LeaseId, now: MonotonicMs): number | null {
    const deadline = this.#deadlines.get(lease);
    if (deadline === undefined) return null;
    return deadline.isEnding ? 0 : Math.max(0, deadline.at - now);
  }

  /** Time in which no renewal could be received, because this process did not run, does not count against the leases. */
  postpone(byMs: number): void {
    for (const deadline of this.#deadlines.values()) deadline.at += byMs;
  }

  /** Marks those that have run out as ending; in ascending order, because the command names them. */
  takeExpired(now: MonotonicMs): LeaseId[] {
    const expired: LeaseId[] = [];
    for (const [lease, deadline] of this.#deadlines) {
      if (deadline.isEnding || deadline.at > now) continue;
      deadline.isEnding = true;
      expired.push(lease);
    }
    return expired.sort((a, b) => a - b);
  }

  /** The proposal to end them is certainly lost: they may be renewed until the next one. */
  revive(leases: readonly LeaseId[]): void {
    for (const lease of leases) {
      const deadline = this.#deadlines.get(lease);
      if (deadline !== undefined) deadline.isEnding = false;
    }
  }
}
