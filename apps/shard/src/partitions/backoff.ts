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
  /** Null while it does not run. */
  private startedAt: MonotonicMs | null = null;

  constructor(
    private readonly timings: BackoffTimings,
    private readonly clock: Clock,
  ) {}

  started(): void {
    this.startedAt = this.clock.monotonicMs();
  }

  /** How long to wait before the next attempt. */
  failed(): number {
    const ranMs = this.startedAt === null ? 0 : this.clock.monotonicMs() - this.startedAt;
    if (ranMs > this.timings.forgetAfterMs) this.failures = 0;
    this.startedAt = null;
    const waitMs = Math.min(this.timings.maxMs, this.timings.firstMs * 2 ** this.failures);
    this.failures += 1;
    return waitMs;
  }
}
