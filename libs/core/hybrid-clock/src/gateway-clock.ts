import { HYBRID_UNITS_PER_MS, type HybridTime, type MonotonicMs } from '@ringleader/primitives';
import { AHEAD_MS_MAX } from './hybrid-clock.js';
import { HybridClock } from './process-clock.js';

/** What was heard counts for so long, up to twice that: clocks drift. */
const SPAN_MS = 60_000;

/**
 * The hybrid clock of a gateway, which says when a request was first attempted. A key remembers the latest such time of what
 * it has forgotten, and takes nothing before that for new (docs/PROTOCOL.md 4.7.3): so one gateway whose wall clock is an hour
 * ahead, or was for a moment, would have the keys that it writes refuse the writes of all others for an hour. Where its own
 * clock is further ahead of those of the shards that it hears than is believed of anybody, it goes by theirs.
 */
export class GatewayClock extends HybridClock {
  /** How far the shard that is furthest ahead is ahead of the monotonic clock, which runs on between two frames. */
  private shardsAheadMs = Number.NEGATIVE_INFINITY;
  /** The same of the span before. */
  private aheadBeforeMs = Number.NEGATIVE_INFINITY;
  private spanEndsAt: MonotonicMs = Number.NEGATIVE_INFINITY;

  protected override next(): HybridTime {
    const own = super.next();
    const aheadMs = Math.max(this.shardsAheadMs, this.aheadBeforeMs);
    if (aheadMs === Number.NEGATIVE_INFINITY) return own;
    const theirs = Math.floor((this.clock.monotonicMs() + aheadMs) * HYBRID_UNITS_PER_MS);
    if (own - theirs <= AHEAD_MS_MAX * HYBRID_UNITS_PER_MS) return own;
    this.refusedTotal += 1;
    // Else it would stay ahead for as long when its wall clock is set right.
    this.last = theirs;
    return theirs;
  }

  protected override take(heard: HybridTime): boolean {
    const isTaken = super.take(heard);
    if (isTaken) this.compare(heard, this.clock.monotonicMs());
    return isTaken;
  }

  private compare(heard: HybridTime, now: MonotonicMs): void {
    const aheadMs = heard / HYBRID_UNITS_PER_MS - now;
    if (now < this.spanEndsAt) {
      this.shardsAheadMs = Math.max(this.shardsAheadMs, aheadMs);
      return;
    }
    this.aheadBeforeMs = this.shardsAheadMs;
    this.shardsAheadMs = aheadMs;
    this.spanEndsAt = now + SPAN_MS;
  }
}
