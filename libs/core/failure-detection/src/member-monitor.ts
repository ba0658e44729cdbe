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

/** More heartbeats than this do not get lost between two that are heard: at four a second, some four minutes. */
const SEQUENCE_LEAP_MAX = 1_000;
/** The next heartbeat of a process that beats would have been heard by now. */
const INTERVALS_OF_SILENCE = 1.5;

function follows(earlier: Beat | undefined, later: Beat): boolean {
  if (earlier?.instance !== later.instance) return false;
  const leap = later.sequence - earlier.sequence;
  return leap > 0 && leap <= SEQUENCE_LEAP_MAX;
}

export class MemberMonitor {
  readonly #settings: DetectorSettings;
  readonly #health: LocalHealth;
  readonly #expectedSince: number;
  #window: IntervalWindow;
  #lastBeatAt: number | undefined;
  #last: Beat | undefined;
  #suspectSince: number | undefined;
  readonly #confirmedBy = new Set<string>();
  /** The last heartbeat that nothing explained, and that was not believed. */
  #doubted: Beat | undefined;

  constructor(settings: DetectorSettings, health: LocalHealth, now: number) {
    this.#settings = settings;
    this.#health = health;
    this.#expectedSince = now;
    this.#window = this.#freshWindow();
  }

  /**
   * False for one that nothing explains: a repeat, one that a later one overtook, a leap in the sequence, one of another
   * process while this one still beats. A bad byte or a buggy process may have made it, so it silences nobody; and two that
   * follow each other are believed, so a falsehood that was believed silences nobody either.
   */
  beat(beat: Beat, now: number): boolean {
    if (!this.#isExplained(beat, now) && !follows(this.#doubted, beat)) {
      this.#doubted = beat;
      return false;
    }
    this.#doubted = undefined;
    if (follows(this.#last, beat)) this.#recordInterval(now);
    // A restart: the time without a process says nothing about the intervals of the new one.
    else this.#window = this.#freshWindow();
    this.#last = beat;
    this.#lastBeatAt = now;
    this.#endSuspicion();
    return true;
  }

  #isExplained(beat: Beat, now: number): boolean {
    if (this.#last === undefined || follows(this.#last, beat)) return true;
    if (this.#last.instance === beat.instance) return false;
    // Another process, where the last one has fallen silent.
    return (this.silenceMs(now) ?? 0) > INTERVALS_OF_SILENCE * this.#settings.heartbeatIntervalMs;
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
