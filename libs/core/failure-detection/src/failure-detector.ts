/**
 * One detector's opinion of all members, from the heartbeats it hears and the probes it has made
 * (docs/FAILURE-DETECTION.md). It is advice: nothing durable rests on it, and consumers act on what a majority of the
 * detectors says.
 */
import type { MonotonicMs, Prng } from '@ringleader/primitives';
import { AwakeClock } from './awake-clock.js';
import { LocalHealth } from './local-health.js';
import {
  MemberMonitor,
  type Assessment,
  type Beat,
  type Hearsay,
  type MonitorContext,
} from './member-monitor.js';
import type { DetectorSettings } from './settings.js';

export interface MemberAssessment extends Assessment {
  readonly member: string;
}

/** To be carried out by the shell: ping the member, and have these others ping it. */
export interface ProbeOrder {
  readonly round: number;
  readonly member: string;
  readonly probers: readonly string[];
  /** Who has not answered by then is silent. */
  readonly withinMs: number;
  /** It is a suspect under this incarnation, and should hear of it; null: it is not. */
  readonly suspectedAt: number | null;
}

export interface ProbeReport {
  readonly round: number;
  readonly member: string;
  readonly by: string;
  readonly isAnswered: boolean;
}

interface Tracked {
  readonly monitor: MemberMonitor;
  /** In the registry. Others are tracked until they have been silent for long. */
  listed: boolean;
}

export interface FailureDetectorOptions {
  readonly settings: DetectorSettings;
  /** The name by which this detector is a member. */
  readonly self: string;
  /** Chooses who is asked to probe. */
  readonly prng: Prng;
}

export class FailureDetector {
  readonly #context: MonitorContext;
  readonly #settings: DetectorSettings;
  readonly #prng: Prng;
  readonly #health: LocalHealth;
  readonly #clock: AwakeClock;
  #recoversAt = Number.NEGATIVE_INFINITY;
  #doubtsAgainAt = Number.NEGATIVE_INFINITY;
  readonly #members = new Map<string, Tracked>();
  #lastRound = 0;
  #orders: ProbeOrder[] = [];

  constructor({ settings, self, prng }: FailureDetectorOptions) {
    this.#settings = settings;
    this.#prng = prng;
    this.#health = new LocalHealth(settings.distrustMax + 1);
    this.#context = { settings, health: this.#health, self };
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
  confirm(member: string, detector: string, said: Hearsay, now: MonotonicMs): void {
    const awakeMs = this.#observe(now);
    this.#members.get(member)?.monitor.confirm(detector, said, awakeMs);
  }

  /** It has fallen silent, or never was: what it said of others counts no more. */
  forgetDetector(detector: string, now: MonotonicMs): void {
    const awakeMs = this.#observe(now);
    for (const { monitor } of this.#members.values()) monitor.confirm(detector, { suspects: false }, awakeMs);
  }

  /** What came of a probe. False for what belongs to no round that is under way. */
  probed({ round, member, by, isAnswered }: ProbeReport, now: MonotonicMs): boolean {
    const awakeMs = this.#observe(now);
    return this.#members.get(member)?.monitor.probing.take(round, by, isAnswered, awakeMs) ?? false;
  }

  /** The probes that have become due since the last call. */
  takeOrders(): readonly ProbeOrder[] {
    const orders = this.#orders;
    this.#orders = [];
    return orders;
  }

  /**
   * Until then an assessment would say what the last one said, whatever comes: all beat. Not after `now`: it may say
   * something else. Something must be heard or asked every `tickMs` plus the tolerance all the same.
   */
  quietUntil(now: MonotonicMs): MonotonicMs {
    const awakeMs = this.#observe(now);
    if (this.#health.score > 0) return now;
    let until = Number.POSITIVE_INFINITY;
    for (const { monitor } of this.#members.values()) until = Math.min(until, monitor.quietUntil());
    return Math.max(now, now + until - awakeMs);
  }

  /** To be called every `tickMs`. `otherDetectors` is how many others could confirm a suspicion. */
  assess(now: MonotonicMs, otherDetectors: number): MemberAssessment[] {
    const awakeMs = this.#observe(now);
    this.#recover(awakeMs);
    this.#forgetSilentUnlisted(awakeMs);
    this.#concludeProbes(awakeMs);
    const assessments = [...this.#members].map(([member, { monitor }]) => ({
      member,
      ...monitor.assess(awakeMs, otherDetectors),
    }));
    for (const [member, { monitor }] of this.#members) {
      if (monitor.wantsProbe(awakeMs)) this.#order(member, monitor, awakeMs);
    }
    return assessments;
  }

  #observe(now: MonotonicMs): number {
    const { awakeMs, overslept } = this.#clock.observe(now);
    if (overslept) this.#doubtSelf(awakeMs);
    return awakeMs;
  }

  #doubtSelf(awakeMs: number): void {
    this.#health.apply(1);
    this.#recoversAt = awakeMs + this.#settings.healthRecoveryMs;
  }

  /** One point for a time without oversleeping: by then what had waited has been read. */
  #recover(awakeMs: number): void {
    if (awakeMs < this.#recoversAt) return;
    this.#health.apply(-1);
    this.#recoversAt = awakeMs + this.#settings.healthRecoveryMs;
  }

  /** Where none of those who were asked says anything, the fault is rather here than there: one sign, whoever was probed. */
  #concludeProbes(awakeMs: number): void {
    let isUnheard = false;
    for (const { monitor } of this.#members.values()) {
      isUnheard = monitor.probing.conclude(awakeMs, this.#context.self).isUnheard || isUnheard;
    }
    if (!isUnheard || awakeMs < this.#doubtsAgainAt) return;
    this.#doubtsAgainAt = awakeMs + this.#settings.healthRecoveryMs;
    this.#doubtSelf(awakeMs);
  }

  #order(member: string, monitor: MemberMonitor, awakeMs: number): void {
    const probers = this.#chooseProbers(member, awakeMs);
    this.#lastRound += 1;
    monitor.probing.begin(this.#lastRound, [this.#context.self, ...probers], awakeMs);
    const suspectedAt = monitor.isSuspect ? (monitor.incarnation ?? null) : null;
    const withinMs = this.#settings.probing.roundMs;
    this.#orders.push({ round: this.#lastRound, member, probers, withinMs, suspectedAt });
  }

  #chooseProbers(member: string, awakeMs: number): string[] {
    const able = [...this.#members]
      .filter(([other, { monitor }]) => other !== member && monitor.canProbe(awakeMs))
      .map(([other]) => other);
    const chosen: string[] = [];
    while (chosen.length < this.#settings.probing.probers && able.length > 0) {
      chosen.push(...able.splice(this.#prng.nextBelow(able.length), 1));
    }
    return chosen;
  }

  #track(member: string, awakeMs: number): Tracked {
    const known = this.#members.get(member);
    if (known !== undefined) return known;
    const tracked = { monitor: new MemberMonitor(this.#context, awakeMs), listed: false };
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
