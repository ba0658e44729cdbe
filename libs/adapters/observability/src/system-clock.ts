import type { Clock } from '@ringleader/primitives';

/** The machine's clocks: the only place that reads them for the shells. */
export const systemClock: Clock = Object.freeze({
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
});
