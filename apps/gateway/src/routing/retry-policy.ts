/** When a request is sent again. Pure: readings of the clock and random numbers are arguments. */
import { backOffMs as doubled, jittered, type MonotonicMs } from '@ringleader/primitives';

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

/** What is slow because it is large must not become slower by being sent again. */
const BYTES_PER_MS = 256;

/** `attempt` counts from 1. */
export function attemptTimeoutMs(timings: RetryTimings, attempt: number, bytes: number): number {
  const { attemptTimeoutMs: firstMs, attemptTimeoutMsMax: maxMs } = timings;
  return doubled({ firstMs, maxMs }, attempt) + Math.floor(bytes / BYTES_PER_MS);
}

/** `random`: 0 <= random < 1. */
export function backOffMs(timings: RetryTimings, attempt: number, random: number): number {
  return jittered(doubled({ firstMs: timings.backOffMs, maxMs: timings.backOffMsMax }, attempt), random);
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
