/**
 * Who is new, or was doubted until just now, is given its share of the requests little by little, as Envoy does it in its
 * slow start: caches are cold, and what was wrong may be wrong still.
 */
import type { MonotonicMs } from '@ringleader/primitives';
import { BoundedMemory } from './bounded-memory.js';
import type { CandidateId } from './candidate.js';

export interface SlowStartOptions {
  /** Until the full share; 0 gives it at once. */
  readonly windowMs: number;
  /** 1: in proportion to the time. Above: fast at first; below: slow at first. */
  readonly aggression: number;
  /** From the beginning on. */
  readonly shareMin: number;
}

/** Envoy's, but for the window, which has no default there. */
export const SLOW_START_DEFAULT: SlowStartOptions = { windowMs: 10_000, aggression: 1, shareMin: 0.1 };

/** Null while it is doubted. */
type Since = MonotonicMs | null;

export class SlowStart {
  private readonly since = new BoundedMemory<CandidateId, Since>();

  constructor(private readonly options: SlowStartOptions) {}

  /** What part of its share it may have, 0 < ramp <= 1. To be asked at each pick: so it learns who is doubted. */
  ramp(id: CandidateId, suspect: boolean, now: MonotonicMs): number {
    const { windowMs, aggression, shareMin } = this.options;
    const known = this.since.get(id);
    if (suspect) {
      if (known !== null) this.since.set(id, null);
      return shareMin;
    }
    const since = known ?? now;
    if (since !== known) this.since.set(id, since);
    const passed = windowMs === 0 ? 1 : (now - since) / windowMs;
    return passed >= 1 ? 1 : Math.max(shareMin, passed ** (1 / aggression));
  }
}
