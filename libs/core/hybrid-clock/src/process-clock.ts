import type { Clock, HybridTime } from '@ringleader/primitives';
import { AHEAD_MS_MAX, HYBRID_TIME_ZERO, mergeHybridTime, nextHybridTime } from './hybrid-clock.js';

/** The hybrid clock of one process: stamps what happens here, and is merged with every frame that is heard. */
export class HybridClock {
  private last: HybridTime = HYBRID_TIME_ZERO;
  private refusedTotal = 0;

  constructor(protected readonly clock: Clock) {}

  /** How many readings were too far ahead to be merged. */
  get refused(): number {
    return this.refusedTotal;
  }

  readonly stamp = (): HybridTime => {
    this.last = nextHybridTime(this.last, this.clock.wallMs());
    return this.last;
  };

  readonly merge = (heard: HybridTime): void => {
    const merged = mergeHybridTime(this.last, heard, {
      wallMs: this.clock.wallMs(),
      maxAheadMs: AHEAD_MS_MAX,
    });
    if (merged.kind === 'merged') this.last = merged.time;
    else this.refusedTotal += 1;
  };
}
