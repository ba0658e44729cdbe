/** Waits that double from the first failure on, until the thing has worked for a while. */
import type { Clock, MonotonicMs } from '@ringleader/primitives';

export interface BackoffTimings {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Whoever ran for so long starts from `firstMs` again. */
  readonly forgetAfterMs: number;
}

export class Backoff {
  private failures = 0;
  private startedAt: MonotonicMs;

  constructor(
    private readonly timings: BackoffTimings,
    private readonly clock: Clock,
  ) {
    this.startedAt = clock.monotonicMs();
  }

  started(): void {
    this.startedAt = this.clock.monotonicMs();
  }

  /** How long to wait before the next attempt. */
  failed(): number {
    const ranMs = this.clock.monotonicMs() - this.startedAt;
    if (ranMs > this.timings.forgetAfterMs) this.failures = 0;
    const waitMs = Math.min(this.timings.maxMs, this.timings.firstMs * 2 ** this.failures);
    this.failures += 1;
    return waitMs;
  }
}
