/** What one detector knows about one member. All times are awake times of the detector. */
import { FlapDamping } from './flap-damping.js';
import { IntervalWindow } from './interval-window.js';
import type { LocalHealth } from './local-health.js';
import { deviationsAt, phi } from './phi.js';
import { Probing, type ProbeResult } from './probing.js';
import type { DetectorSettings } from './settings.js';
import { suspicionTimeoutMs } from './suspicion.js';

export type MemberState = 'unknown' | 'alive' | 'suspect' | 'down';

export interface Beat {
  /** A new one for each process of the member. */
  readonly instance: string;
  /** Counts up within an instance. */
  readonly sequence: number;
  /** Raised by the member when it hears that it is suspected; absent: it does not answer pings. */
  readonly incarnation?: number | undefined;
}

/** What another detector says of a member. */
export interface Hearsay {
  readonly suspects: boolean;
  /** Of the process that it knows; absent: it does not say. */
  readonly instance?: string | null | undefined;
  readonly incarnation?: number | null | undefined;
}

export interface Assessment {
  readonly state: MemberState;
  readonly phi: number;
  /** Null when no heartbeat was ever heard. */
  readonly silenceMs: number | null;
  readonly missedBeats: number;
  /** Of the last heartbeat. */
  readonly instance: string | null;
  readonly incarnation: number | null;
  /** It beats, but came back too often lately. */
  readonly isHeld: boolean;
  readonly probes: readonly ProbeResult[];
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

/** What all monitors of a detector share. */
export interface MonitorContext {
  readonly settings: DetectorSettings;
  readonly health: LocalHealth;
  /** The detector's own name among probers. */
  readonly self: string;
}

export class MemberMonitor {
  readonly #context: MonitorContext;
  readonly #settings: DetectorSettings;
  readonly #expectedSince: number;
  readonly #quietDeviations: number;
  readonly #damping: FlapDamping;
  readonly probing: Probing;
  #window: IntervalWindow;
  #lastBeatAt: number | undefined;
  #last: Beat | undefined;
  /** As the last heartbeat says, or another detector since. */
  #incarnation: number | undefined;
  /** Until this silence nothing is to be doubted. */
  #quietMs = 0;
  #suspectSince: number | undefined;
  /** As of the last assessment. */
  #state: MemberState = 'unknown';
  readonly #confirmedBy = new Set<string>();
  /** The last heartbeat that nothing explained, and that was not believed. */
  #doubted: Beat | undefined;

  constructor(context: MonitorContext, now: number) {
    this.#context = context;
    const { settings } = context;
    this.#settings = settings;
    this.#expectedSince = now;
    this.#quietDeviations = deviationsAt(settings.probing.phi);
    this.#damping = new FlapDamping(settings.damping);
    this.probing = new Probing(settings.probing);
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
    this.#incarnation = beat.incarnation;
    this.#lastBeatAt = now;
    this.#quietMs = this.#phiSilenceMs();
    this.probing.reset();
    this.#endSuspicion(now, true);
    return true;
  }

  #isExplained(beat: Beat, now: number): boolean {
    if (this.#last === undefined || follows(this.#last, beat)) return true;
    if (this.#last.instance === beat.instance) return false;
    // Another process, where the last one has fallen silent.
    return (this.silenceMs(now) ?? 0) > INTERVALS_OF_SILENCE * this.#settings.heartbeatIntervalMs;
  }

  /**
   * Another detector suspects this member too, or no longer does. Counts only while this one does, and not if the member
   * has raised its incarnation since. That it is alive under a higher incarnation than this detector knows refutes what this
   * one holds against it, once.
   */
  confirm(detector: string, said: Hearsay, now: number): void {
    const compared = this.#compareIncarnation(said);
    if (said.suspects && compared !== 'older') this.#confirmedBy.add(detector);
    else this.#confirmedBy.delete(detector);
    if (said.suspects || compared !== 'newer') return;
    this.#incarnation = said.incarnation ?? this.#incarnation;
    this.probing.refute(now);
  }

  /** `same` also where one of both says nothing of it, or speaks of another process. */
  #compareIncarnation({ instance, incarnation }: Hearsay): 'older' | 'same' | 'newer' {
    const known = this.#incarnation;
    if (known === undefined || typeof incarnation !== 'number') return 'same';
    if (instance !== this.#last?.instance || incarnation === known) return 'same';
    return incarnation < known ? 'older' : 'newer';
  }

  /** As of the last assessment. */
  get isSuspect(): boolean {
    return this.#suspectSince !== undefined;
  }

  /** Of the process that was heard last; undefined for one that does not answer pings, or was never heard. */
  get incarnation(): number | undefined {
    return this.#incarnation;
  }

  silenceMs(now: number): number | null {
    return this.#lastBeatAt === undefined ? null : now - this.#lastBeatAt;
  }

  /** Until then nothing is to be assessed if no heartbeat comes; in the past: something is. */
  quietUntil(): number {
    const isDoubted = this.#state !== 'alive' || this.probing.isUnderWay;
    if (isDoubted || this.#lastBeatAt === undefined) return Number.NEGATIVE_INFINITY;
    return this.#lastBeatAt + this.#quietMs;
  }

  /** It can be asked to probe others: it beats, and knows of pings. */
  canProbe(now: number): boolean {
    const silenceMs = this.silenceMs(now) ?? Number.POSITIVE_INFINITY;
    const isHeard = silenceMs <= INTERVALS_OF_SILENCE * this.#settings.heartbeatIntervalMs;
    return this.incarnation !== undefined && isHeard && !this.isSuspect;
  }

  wantsProbe(now: number): boolean {
    if (this.incarnation === undefined || this.#phi(now) < this.#settings.probing.phi) return false;
    return this.probing.isDue(now, this.#state === 'down');
  }

  assess(now: number, confirmationsExpected: number): Assessment {
    const value = this.#phi(now);
    if (this.#isDoubtful(value, now)) this.#suspectSince ??= now;
    // Without a sign of life it is the detector that has begun to doubt itself.
    else this.#endSuspicion(now, this.probing.isRefuted(now));
    const isHeld = !this.isSuspect && this.#damping.isHeld(now);
    this.#state = this.#stateOf(now, confirmationsExpected, isHeld);
    const { mean } = this.#expected();
    const silenceMs = this.silenceMs(now);
    return {
      ...{ state: this.#state, phi: value, silenceMs, isHeld },
      missedBeats: Math.max(0, Math.floor((silenceMs ?? 0) / mean)),
      instance: this.#last?.instance ?? null,
      incarnation: this.#incarnation ?? null,
      probes: this.#evidence(),
    };
  }

  #stateOf(now: number, confirmationsExpected: number, isHeld: boolean): MemberState {
    if (this.isSuspect) return this.#isDown(now, confirmationsExpected) ? 'down' : 'suspect';
    if (isHeld) return 'suspect';
    return this.#lastBeatAt === undefined ? 'unknown' : 'alive';
  }

  /** Silent for too long, and no probe says otherwise. One that does not know of pings is judged by its silence alone. */
  #isDoubtful(value: number, now: number): boolean {
    if (value < this.#settings.phiThreshold) return false;
    if (this.incarnation === undefined) return true;
    return this.probing.isSilent && !this.probing.isRefuted(now);
  }

  #isDown(now: number, confirmationsExpected: number): boolean {
    if (this.#suspectSince === undefined) return false;
    const { suspicionMinMs, suspicionMaxMs } = this.#settings;
    const { health } = this.#context;
    const timeoutMs = suspicionTimeoutMs(Math.min(this.#confirmedBy.size, confirmationsExpected), {
      confirmationsExpected,
      minMs: health.scale(suspicionMinMs),
      maxMs: health.scale(suspicionMaxMs),
    });
    return now - this.#suspectSince >= timeoutMs;
  }

  #evidence(): readonly ProbeResult[] {
    if (!this.isSuspect || this.incarnation !== undefined) return this.probing.results;
    return [{ by: this.#context.self, outcome: 'notAsked' }];
  }

  /** A member never heard counts from when it was expected, less the grace it has for its first heartbeat. */
  #phi(now: number): number {
    const { heartbeatIntervalMs, firstHeartbeatGraceMs } = this.#settings;
    const { mean, deviation } = this.#expected();
    const silenceMs = this.silenceMs(now) ?? now - this.#expectedSince - firstHeartbeatGraceMs;
    const distrustMs = this.#context.health.score * heartbeatIntervalMs;
    return phi(silenceMs, {
      meanMs: mean + this.#settings.acceptablePauseMs + distrustMs,
      deviationMs: deviation,
    });
  }

  #expected(): { readonly mean: number; readonly deviation: number } {
    const { meanMs, deviationMs } = this.#window.statistics();
    return { mean: meanMs, deviation: Math.max(deviationMs, this.#settings.deviationMinMs) };
  }

  /** The silence from which on it is probed, if the detector trusts itself. */
  #phiSilenceMs(): number {
    const { mean, deviation } = this.#expected();
    return mean + this.#settings.acceptablePauseMs + this.#quietDeviations * deviation;
  }

  /** The end of an outage is not an interval: it would teach the window that outages are normal. */
  #recordInterval(now: number): void {
    if (this.#lastBeatAt === undefined) return;
    const intervalMs = now - this.#lastBeatAt;
    if (intervalMs < this.#quietMs || this.#phi(now) < this.#settings.phiThreshold)
      this.#window.add(intervalMs);
  }

  #endSuspicion(now: number, isBack: boolean): void {
    if (this.isSuspect && isBack) this.#damping.flap(now);
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
