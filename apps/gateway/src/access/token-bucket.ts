import type { MonotonicMs } from '@ringleader/primitives';

const MS_PER_SECOND = 1_000;

/** So many in a second, and as many at once after a quiet one. */
export class TokenBucket {
  private left: number;
  private lastAt: MonotonicMs | null = null;

  /** 1 or more, so that whoever is refused may come again within a second. */
  constructor(readonly perSecond: number) {
    this.left = perSecond;
  }

  take(now: MonotonicMs): boolean {
    const earned = this.lastAt === null ? 0 : ((now - this.lastAt) * this.perSecond) / MS_PER_SECOND;
    this.left = Math.min(this.perSecond, this.left + Math.max(0, earned));
    this.lastAt = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}
