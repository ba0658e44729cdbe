import type { Clock } from '@ringleader/primitives';

/** Stands still until the test moves it. */
export class ManualClock implements Clock {
  now = 1_000;

  monotonicMs(): number {
    return this.now;
  }

  wallMs(): number {
    return this.now;
  }
}
