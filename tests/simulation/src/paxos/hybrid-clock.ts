import type { HybridTime } from '@ringleader/primitives';

const TICKS_PER_MS = 1024;

/** A hybrid logical clock as shells keep it: never behind its wall clock, nor behind anything it heard. */
export class HybridClock {
  readonly #wallMs: () => number;
  #last: HybridTime = 0;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  now(): HybridTime {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#wallMs()) * TICKS_PER_MS);
    return this.#last;
  }

  observe(heard: HybridTime): void {
    this.#last = Math.max(this.#last, heard);
  }
}
