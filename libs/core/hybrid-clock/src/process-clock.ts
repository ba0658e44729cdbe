import type { Clock, HybridTime } from '@ringleader/primitives';
import { AHEAD_MS_MAX, HYBRID_TIME_ZERO, mergeHybridTime, nextHybridTime } from './hybrid-clock.js';

/** The hybrid clock of one process: stamps what happens here, and is merged with every frame that is heard. */
export class HybridClock {
  protected last: HybridTime = HYBRID_TIME_ZERO;
  protected refusedTotal = 0;

  constructor(protected readonly clock: Clock) {}

  /** How many readings were too far ahead to be followed. */
  get refused(): number {
    return this.refusedTotal;
  }

  readonly stamp = (): HybridTime => this.next();

  readonly merge = (heard: HybridTime): void => void this.take(heard);

  protected next(): HybridTime {
    this.last = nextHybridTime(this.last, this.clock.wallMs());
    return this.last;
  }

  /** False for what is too far ahead. */
  protected take(heard: HybridTime): boolean {
    const merged = mergeHybridTime(this.last, heard, {
      wallMs: this.clock.wallMs(),
      maxAheadMs: AHEAD_MS_MAX,
    });
    if (merged.kind === 'merged') this.last = merged.time;
    else this.refusedTotal += 1;
    return merged.kind === 'merged';
  }
}
