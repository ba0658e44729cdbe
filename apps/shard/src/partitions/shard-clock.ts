/** The clocks of this process: monotonic for deadlines and leases, hybrid for stamps, merged with whatever was heard. */
import { AHEAD_MS_MAX, HYBRID_TIME_ZERO, mergeHybridTime, nextHybridTime } from '@ringleader/hybrid-clock';
import type { Clock, HybridTime, MonotonicMs, WallMs } from '@ringleader/primitives';

export class ShardClock implements Clock {
  private last: HybridTime = HYBRID_TIME_ZERO;
  private refusedTotal = 0;

  constructor(private readonly clock: Clock) {}

  /** How many readings were too far ahead to be merged. */
  get refused(): number {
    return this.refusedTotal;
  }

  /** Read anew for every event: between two events the process may have been stopped. */
  monotonicMs(): MonotonicMs {
    return this.clock.monotonicMs();
  }

  wallMs(): WallMs {
    return this.clock.wallMs();
  }

  readonly stamp = (): HybridTime => {
    this.last = nextHybridTime(this.last, this.clock.wallMs());
    return this.last;
  };

  merge(heard: HybridTime): void {
    const merged = mergeHybridTime(this.last, heard, {
      wallMs: this.clock.wallMs(),
      maxAheadMs: AHEAD_MS_MAX,
    });
    if (merged.kind === 'merged') this.last = merged.time;
    else this.refusedTotal += 1;
  }
}
