/** When a request is sent again. Pure: readings of the clock and random numbers are arguments. */
import type { MonotonicMs } from '@ringleader/primitives';

export interface RetryTimings {
  /** An attempt without an answer for so long is followed by another one; doubled each time. */
  readonly attemptTimeoutMs: number;
  readonly attemptTimeoutMsMax: number;
  /** After an answer that nobody leads; doubled each time. A new leader that is heard of ends the pause at once. */
  readonly backOffMs: number;
  readonly backOffMsMax: number;
}

export const DEFAULT_RETRY_TIMINGS: RetryTimings = {
  attemptTimeoutMs: 1_000,
  attemptTimeoutMsMax: 4_000,
  backOffMs: 20,
  backOffMsMax: 400,
};

/** `attempt` counts from 1. */
export function attemptTimeoutMs(timings: RetryTimings, attempt: number): number {
  return Math.min(timings.attemptTimeoutMsMax, timings.attemptTimeoutMs * 2 ** (attempt - 1));
}

/** `random`: 0 <= random < 1. Half of the pause is random, so that those who failed together do not return together. */
export function backOffMs(timings: RetryTimings, attempt: number, random: number): number {
  const bound = Math.min(timings.backOffMsMax, timings.backOffMs * 2 ** Math.max(0, attempt - 1));
  return bound * (0.5 + random / 2);
}

/**
 * Retries are paid from a budget that successes fill (Dean and Barroso, "The Tail at Scale", 2013, and gRPC's retry
 * throttling): when most requests fail, sending each of them again would only add to what is wrong.
 */
export class RetryBudget {
  private tokens: number;

  constructor(
    private readonly tokensMax: number,
    /** What one success pays in: 0.2 allows one retry for five successes. */
    private readonly perSuccess: number,
    /** Paid in as time passes, so that an idle gateway recovers. */
    private readonly perSecond: number,
    private lastAt: MonotonicMs,
  ) {
    this.tokens = tokensMax;
  }

  succeeded(): void {
    this.tokens = Math.min(this.tokensMax, this.tokens + this.perSuccess);
  }

  /** False when the retry has to wait. */
  take(now: MonotonicMs): boolean {
    const elapsedMs = Math.max(0, now - this.lastAt);
    this.lastAt = now;
    this.tokens = Math.min(this.tokensMax, this.tokens + (elapsedMs / 1_000) * this.perSecond);
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
