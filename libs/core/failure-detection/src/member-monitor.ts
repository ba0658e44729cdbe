/** What one detector knows about one member. All times are awake times of the detector. */
import { IntervalWindow } from './interval-window.js';
import type { LocalHealth } from './local-health.js';
import { phi } from './phi.js';
import type { DetectorSettings } from './settings.js';
import { suspicionTimeoutMs } from './suspicion.js';

export type MemberState = 'unknown' | 'alive' | 'suspect' | 'down';

export interface Beat {
  /** A new one for each process of the member. */
  readonly instance: string;
  /** Counts up within an instance. */
  readonly sequence: number;
}

export interface Assessment {
  readonly state: MemberState;
  readonly phi: number;
  /** Null when no heartbeat was ever heard. */
  readonly silenceMs: number | null;
}

export class MemberMonitor {
  readonly #settings: DetectorSettings;
  readonly #health: LocalHealth;
  readonly #expectedSince: number;
  #window: IntervalWindow;
  #lastBeatAt: number | undefined;
  #last: Beat | undefined;
  #previousInstance: string | undefined;
  #suspectSince: number | undefined;
  readonly #confirmedBy = new Set<string>();

  constructor(settings: DetectorSettings, health: LocalHealth, now: number) {
    this.#settings = settings;
    this.#health = health;
    this.#expectedSince = now;
    this.#window = this.#freshWindow();
  }

  /** False for a repeat, for one that a later one overtook, and for one of a process that another has replaced. */
  beat(beat: Beat, now: number): boolean {
    const { instance, sequence } = beat;
    if (instance === this.#previousInstance) return false;
    if (this.#last?.instance === instance) {
      if (sequence <= this.#last.sequence) return false;
      this.#recordInterval(now);
    } else {
      // A restart: the time without a process says nothing about the intervals of the new one.
      this.#previousInstance = this.#last?.instance;
      this.#window = this.#freshWindow();
    }
    this.#last = beat;
    this.#lastBeatAt = now;
    this.#endSuspicion();
    return true;
  }

  /** Another detector suspects this member too, or no longer does. Counts only while this one does. */
  confirm(detector: string, suspects: boolean): void {
    if (suspects) this.#confirmedBy.add(detector);
    else this.#confirmedBy.delete(detector);
  }

  /** As of the last assessment. */
  get isSuspect(): boolean {
    return this.#suspectSince !== undefined;
  }

  silenceMs(now: number): number | null {
    return this.#lastBeatAt === undefined ? null : now - this.#lastBeatAt;
  }

  assess(now: number, confirmationsExpected: number): Assessment {
    const value = this.#phi(now);
    const silenceMs = this.silenceMs(now);
    if (value < this.#settings.phiThreshold) {
      this.#endSuspicion();
      return { state: silenceMs === null ? 'unknown' : 'alive', phi: value, silenceMs };
    }
    this.#suspectSince ??= now;
    const { suspicionMinMs, suspicionMaxMs } = this.#settings;
    const timeoutMs = suspicionTimeoutMs(this.#confirmedBy.size, {
      confirmationsExpected,
      minMs: this.#health.scale(suspicionMinMs),
      maxMs: this.#health.scale(suspicionMaxMs),
    });
    const state = now - this.#suspectSince >= timeoutMs ? 'down' : 'suspect';
    return { state, phi: value, silenceMs };
  }

  /** A member never heard counts from when it was expected, less the grace it has for its first heartbeat. */
  #phi(now: number): number {
    const { deviationMinMs, acceptablePauseMs, heartbeatIntervalMs, firstHeartbeatGraceMs } = this.#settings;
    const { meanMs, deviationMs } = this.#window.statistics();
    const silenceMs = this.silenceMs(now) ?? now - this.#expectedSince - firstHeartbeatGraceMs;
    const distrustMs = this.#health.score * heartbeatIntervalMs;
    return phi(silenceMs, {
      meanMs: meanMs + acceptablePauseMs + distrustMs,
      deviationMs: Math.max(deviationMs, deviationMinMs),
    });
  }

  /** The end of an outage is not an interval: it would teach the window that outages are normal. */
  #recordInterval(now: number): void {
    if (this.#lastBeatAt !== undefined && this.#phi(now) < this.#settings.phiThreshold) {
      this.#window.add(now - this.#lastBeatAt);
    }
  }

  #endSuspicion(): void {
    this.#suspectSince = undefined;
    this.#confirmedBy.clear();
  }

  /** Two guesses whose mean is the expected interval and whose deviation is a quarter of it, as Akka begins. */
  #freshWindow(): IntervalWindow {
    const { heartbeatIntervalMs, windowSize } = this.#settings;
    const window = new IntervalWindow(windowSize);
    window.add(heartbeatIntervalMs * 0.75);
    window.add(heartbeatIntervalMs * 1.25);
    return window;
  }
}
