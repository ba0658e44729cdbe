import type { Clock, MonotonicMs, WallMs } from '@ringleader/primitives';
import type { EventQueue } from './event-queue.js';

export interface ClockSettings {
  /** Local milliseconds per simulated millisecond: 1.05 runs 5 % fast. */
  readonly rate: number;
  /** What the monotonic clock shows at the start; machines start at different times. */
  readonly monotonicStartMs: number;
  /** How far the wall clock is off. */
  readonly wallSkewMs: number;
}

/** 1 January 2026: any instant would do. */
const WALL_START_MS = 1_767_225_600_000;

/**
 * One machine's clocks. The monotonic clock runs at the machine's own rate, also while a process is paused or down.
 * The wall clock runs along with it, and may be stepped.
 */
export class NodeClock implements Clock {
  readonly #events: EventQueue;
  readonly #settings: ClockSettings;
  #wallSkewMs: number;
  #latestBeforeStepsMs = 0;
  /** Simulated time that the monotonic clock did not see (a suspended machine). */
  #suspendedMs = 0;
  #suspendedAt = 0;
  #suspensions = 0;

  constructor(events: EventQueue, settings: ClockSettings) {
    this.#events = events;
    this.#settings = settings;
    this.#wallSkewMs = settings.wallSkewMs;
  }

  monotonicMs(): MonotonicMs {
    const until = this.#suspensions > 0 ? this.#suspendedAt : this.#events.now;
    return this.#settings.monotonicStartMs + (until - this.#suspendedMs) * this.#settings.rate;
  }

  wallMs(): WallMs {
    return WALL_START_MS + this.#events.now * this.#settings.rate + this.#wallSkewMs;
  }

  /** The simulated time at which the monotonic clock will show `monotonic`. */
  simulatedTimeOf(monotonic: MonotonicMs): number {
    return (monotonic - this.#settings.monotonicStartMs) / this.#settings.rate + this.#suspendedMs;
  }

  /** The latest that the wall clock has shown so far: it may have been stepped back since. */
  latestWallMs(): WallMs {
    return Math.max(this.#latestBeforeStepsMs, this.wallMs());
  }

  stepWallClock(byMs: number): void {
    this.#latestBeforeStepsMs = this.latestWallMs();
    this.#wallSkewMs += byMs;
  }

  /** The monotonic clock stands still until as many resumptions. */
  suspend(): void {
    if (this.#suspensions === 0) this.#suspendedAt = this.#events.now;
    this.#suspensions += 1;
  }

  get isSuspended(): boolean {
    return this.#suspensions > 0;
  }

  resume(): void {
    if (this.#suspensions === 0) return;
    this.#suspensions -= 1;
    if (this.#suspensions === 0) this.#suspendedMs += this.#events.now - this.#suspendedAt;
  }
}
