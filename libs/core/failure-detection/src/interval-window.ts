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
    const dropped = this.#intervals[this.#oldest] ?? 0;
    this.#intervals[this.#oldest] = intervalMs;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
    this.#sum -= dropped;
    this.#squares -= dropped * dropped;
    this.#count(intervalMs);
    if (this.#oldest === 0) this.#sumAnew();
  }

  /** Of a window that is not empty. */
  statistics(): IntervalStatistics {
    const count = this.#intervals.length;
    const meanMs = this.#sum / count;
    const variance = Math.max(0, this.#squares / count - meanMs * meanMs);
    return { meanMs, deviationMs: Math.sqrt(variance) };
  }

  /** Running sums gather rounding errors: no longer than one time around. */
  #sumAnew(): void {
    this.#sum = 0;
    this.#squares = 0;
    for (const interval of this.#intervals) this.#count(interval);
  }

  #count(intervalMs: number): void {
    this.#sum += intervalMs;
    this.#squares += intervalMs * intervalMs;
  }
}
