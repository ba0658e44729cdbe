/** The hybrid clock of this process: stamps origins, and is merged with every answer. */
import { AHEAD_MS_MAX, HYBRID_TIME_ZERO, mergeHybridTime, nextHybridTime } from '@ringleader/hybrid-clock';
import type { Clock, HybridTime } from '@ringleader/primitives';

export class GatewayClock {
  private last: HybridTime = HYBRID_TIME_ZERO;
  private refusedTotal = 0;

  constructor(private readonly clock: Clock) {}

  /** How many readings were too far ahead to be merged. */
  get refused(): number {
    return this.refusedTotal;
  }

  readonly now = (): HybridTime => {
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
