/** The clocks of this process: monotonic for deadlines and leases, hybrid for stamps. */
import { HybridClock } from '@ringleader/hybrid-clock';
import type { Clock, MonotonicMs, WallMs } from '@ringleader/primitives';

export class ShardClock extends HybridClock implements Clock {
  monotonicMs(): MonotonicMs {
    return this.clock.monotonicMs();
  }

  wallMs(): WallMs {
    return this.clock.wallMs();
  }
}
