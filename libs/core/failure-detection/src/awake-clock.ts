import type { MonotonicMs } from '@ringleader/primitives';

/**
 * Time as far as this process was awake. It hears from itself at least every `tickMs`; a longer gap means that it was
 * stopped, starved or collecting garbage, while others' heartbeats waited unread. That time counts against nobody.
 */
export class AwakeClock {
  readonly #tickMs: number;
  readonly #toleranceMs: number;
  #last: MonotonicMs | undefined;
  #asleepMs = 0;

  constructor({ tickMs, toleranceMs }: { readonly tickMs: number; readonly toleranceMs: number }) {
    this.#tickMs = tickMs;
    this.#toleranceMs = toleranceMs;
  }

  /** To be called on every input, with a clock that never goes back. */
  observe(now: MonotonicMs): { readonly awakeMs: number; readonly overslept: boolean } {
    const gap = now - (this.#last ?? now);
    this.#last = now;
    const overslept = gap > this.#tickMs + this.#toleranceMs;
    if (overslept) this.#asleepMs += gap - this.#tickMs;
    return { awakeMs: now - this.#asleepMs, overslept };
  }
}
