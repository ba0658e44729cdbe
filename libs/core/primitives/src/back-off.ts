/** Waits that double from the first failure on, up to a bound: the one back-off of services and tools. */
export interface BackOffBounds {
  readonly firstMs: number;
  readonly maxMs: number;
}

/** The wait before the next attempt, after so many failures in a row: 1, 2, ... */
export function backOffMs({ firstMs, maxMs }: BackOffBounds, failures: number): number {
  // Asked for each attempt of each request: a power is a call into the runtime.
  return failures <= 1 ? Math.min(maxMs, firstMs) : Math.min(maxMs, firstMs * 2 ** (failures - 1));
}

/** Half of the wait is random (0 <= random < 1), so that those who failed together do not return together. */
export function jittered(waitMs: number, random: number): number {
  return waitMs * (0.5 + random / 2);
}

/** For what is started again whenever it ends: it begins anew once that has run for a while. */
export class RestartBackOff {
  private failures = 0;
  /** Null while it does not run. */
  private startedAtMs: number | null = null;

  constructor(
    private readonly bounds: BackOffBounds,
    /** What ran longer than this is tried again after the first wait. */
    private readonly forgetAfterMs: number,
  ) {}

  started(nowMs: number): void {
    this.startedAtMs = nowMs;
  }

  /** How long to wait before the next start. */
  failed(nowMs: number): number {
    if (this.startedAtMs !== null && nowMs - this.startedAtMs > this.forgetAfterMs) this.failures = 0;
    this.startedAtMs = null;
    this.failures += 1;
    return backOffMs(this.bounds, this.failures);
  }
}
