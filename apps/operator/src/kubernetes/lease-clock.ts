/**
 * The arithmetic of the election, by a clock that only this process has: times in the lease are others', and never compared
 * with ours. Pure. The same as in client-go's leaderelection, but that each write is checked, too.
 */

/** How long a lease is valid, how long its holder tries to renew it, and how often all look at it. */
export const LEASE_MS = 15_000;
export const RENEW_WITHIN_MS = 10_000;
export const RETRY_MS = 2_000;

/**
 * When a leader may write: until so long after it *sent* the renewal that succeeded last. Others wait for LEASE_MS from when
 * they saw it, which was later; what lies between the two is for writes on their way.
 */
export class OwnLease {
  #sentAtMs = -Infinity;

  renewed(sentAtMs: number): void {
    this.#sentAtMs = Math.max(this.#sentAtMs, sentAtMs);
  }

  given(): void {
    this.#sentAtMs = -Infinity;
  }

  isValid(nowMs: number): boolean {
    return nowMs - this.#sentAtMs < RENEW_WITHIN_MS;
  }
}

export interface SeenLease {
  readonly holder: string;
  /** Changes with every renewal. */
  readonly version: string;
  /** As its holder wrote it: how long others have to wait. */
  readonly durationMs: number;
}

/** Of somebody else's lease: free when it was not renewed for as long as it lasts, counted from when its change was seen here. */
export class ObservedLease {
  #version: string | null = null;
  #changedAtMs = 0;

  isFree({ holder, version, durationMs }: SeenLease, nowMs: number): boolean {
    if (version !== this.#version) {
      this.#version = version;
      this.#changedAtMs = nowMs;
    }
    return holder === '' || nowMs - this.#changedAtMs >= durationMs;
  }
}
