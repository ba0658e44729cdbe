/**
 * One detector's opinion of all members, from the heartbeats it hears (docs/ARCHITECTURE.md, "When something dies").
 * It is advice: nothing durable rests on it, and consumers act on what a majority of the detectors says.
 */
import type { MonotonicMs } from '@ringleader/primitives';
import { AwakeClock } from './awake-clock.js';
import { LocalHealth } from './local-health.js';
import { MemberMonitor, type Assessment, type Beat } from './member-monitor.js';
import type { DetectorSettings } from './settings.js';

const HEALTH_SCORE_LIMIT = 8;

export interface MemberAssessment extends Assessment {
  readonly member: string;
}

interface Tracked {
  readonly monitor: MemberMonitor;
  /** In the registry. Others are tracked until they have been silent for long. */
  listed: boolean;
}

export class FailureDetector {
  readonly #settings: DetectorSettings;
  readonly #health = new LocalHealth(HEALTH_SCORE_LIMIT);
  readonly #clock: AwakeClock;
  #recoversAt = Number.NEGATIVE_INFINITY;
  readonly #members = new Map<string, Tracked>();

  constructor(settings: DetectorSettings) {
    this.#settings = settings;
    this.#clock = new AwakeClock({ tickMs: settings.tickMs, toleranceMs: settings.tickToleranceMs });
  }

  /** Signs of own slowness, 0 to 7: all waiting is longer by so many heartbeats. */
  get distrust(): number {
    return this.#health.score;
  }

  /**
   * Exactly these are registered now. Those never heard of are expected. One that is gone while nothing spoke against it
   * left in order and is forgotten; a suspect's registration ran out, so it is watched on until it has been silent for long.
   */
  list(members: ReadonlySet<string>, now: MonotonicMs): void {
    const awakeMs = this.#observe(now);
    for (const member of members) this.#track(member, awakeMs).listed = true;
    for (const [member, tracked] of this.#members) {
      if (!tracked.listed || members.has(member)) continue;
      if (tracked.monitor.isSuspect) tracked.listed = false;
      else this.#members.delete(member);
    }
  }

  /** False for a heartbeat that says nothing new. */
  beat(member: string, beat: Beat, now: MonotonicMs): boolean {
    const awakeMs = this.#observe(now);
    return this.#track(member, awakeMs).monitor.beat(beat, awakeMs);
  }

  /** What another detector says of a member. */
  confirm(member: string, detector: string, suspects: boolean): void {
    this.#members.get(member)?.monitor.confirm(detector, suspects);
  }

  /** It has fallen silent, or never was: what it said of others counts no more. */
  forgetDetector(detector: string): void {
    for (const { monitor } of this.#members.values()) monitor.confirm(detector, false);
  }

  /** To be called every `tickMs`. `otherDetectors` is how many others could confirm a suspicion. */
  assess(now: MonotonicMs, otherDetectors: number): MemberAssessment[] {
    const awakeMs = this.#observe(now);
    this.#recover(awakeMs);
    this.#forgetSilentUnlisted(awakeMs);
    return [...this.#members].map(([member, { monitor }]) => ({
      member,
      ...monitor.assess(awakeMs, otherDetectors),
    }));
  }

  #observe(now: MonotonicMs): number {
    const { awakeMs, overslept } = this.#clock.observe(now);
    if (overslept) {
      this.#health.apply(1);
      this.#recoversAt = awakeMs + this.#settings.healthRecoveryMs;
    }
    return awakeMs;
  }

  /** One point for a time without oversleeping: by then what had waited has been read. */
  #recover(awakeMs: number): void {
    if (awakeMs < this.#recoversAt) return;
    this.#health.apply(-1);
    this.#recoversAt = awakeMs + this.#settings.healthRecoveryMs;
  }

  #track(member: string, awakeMs: number): Tracked {
    const known = this.#members.get(member);
    if (known !== undefined) return known;
    const tracked = { monitor: new MemberMonitor(this.#settings, this.#health, awakeMs), listed: false };
    this.#members.set(member, tracked);
    return tracked;
  }

  #forgetSilentUnlisted(awakeMs: number): void {
    for (const [member, { monitor, listed }] of this.#members) {
      const silenceMs = monitor.silenceMs(awakeMs) ?? Number.POSITIVE_INFINITY;
      if (!listed && silenceMs > this.#settings.forgetUnlistedAfterMs) this.#members.delete(member);
    }
  }
}
