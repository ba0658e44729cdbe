import type { Prng } from '@ringleader/primitives';
import type { Replica } from '../partition/replica.js';

/** A pause is at most so many staggers: 2 s with the usual one of 100 ms. */
const STAGGERS_MAX = 20;

interface Failures {
  count: number;
  /** The ballot acknowledged then: another one means that someone led since. */
  readonly acknowledged: number;
}

/**
 * Candidates that keep failing at a partition give each other more and more time, and their candidacies too. Begins anew
 * once a leader was heard of, or the candidate has won.
 */
export class BackOff {
  private readonly failures = new Map<Replica, Failures>();

  constructor(private readonly prng: Prng) {}

  /** Consecutive candidacies of the replica that failed. */
  failuresOf(replica: Replica): number {
    const failures = this.failures.get(replica);
    if (failures === undefined) return 0;
    if (failures.acknowledged === replica.acknowledged) return failures.count;
    this.failures.delete(replica);
    return 0;
  }

  /** A candidacy failed: how long to wait before the next. The waits of different candidates differ. */
  pauseAfterFailure(replica: Replica, staggerMs: number): number {
    const count = this.failuresOf(replica);
    this.failures.set(replica, { count: count + 1, acknowledged: replica.acknowledged });
    const staggers = Math.min(2.5 * 2 ** count, STAGGERS_MAX);
    return staggerMs * staggers * (0.2 + 0.8 * this.prng.nextFloat());
  }
}
