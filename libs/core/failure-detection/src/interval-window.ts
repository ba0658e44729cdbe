import type { IntervalStatistics } from './phi.js';

/** The last intervals between heartbeats, a bounded number of them, with their mean and deviation. */
export class IntervalWindow {
  readonly #intervals: number[] = [];
  readonly #capacity: number;
  #oldest = 0;
  #sum = 0;
  #squares = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(intervalMs: number): void {
    if (this.#intervals.length < this.#capacity) {
      this.#intervals.push(intervalMs);
      this.#count(intervalMs);
      return;
    }
    this.#intervals[this.#oldest] = intervalMs;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
    // Summed anew: running sums would gather rounding errors for as long as the process lives.
    this.#sum = 0;
    this.#squares = 0;
    for (const interval of this.#intervals) this.#count(interval);
  }

  /** Of a window that is not empty. */
  statistics(): IntervalStatistics {
    const count = this.#intervals.length;
    const meanMs = this.#sum / count;
    const variance = Math.max(0, this.#squares / count - meanMs * meanMs);
    return { meanMs, deviationMs: Math.sqrt(variance) };
  }

  #count(intervalMs: number): void {
    this.#sum += intervalMs;
    this.#squares += intervalMs * intervalMs;
  }
}
