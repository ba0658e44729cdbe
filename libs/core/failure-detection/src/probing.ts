/**
 * Indirect probes, as in SWIM (Das, Gupta, Motivala, 2002): before it suspects a member, a detector pings it, and has
 * others ping it, who may reach it by another way. One answer refutes the suspicion. Whoever was asked says also that it
 * heard nothing (the nack of Lifeguard): of nobody who was asked said anything, the detector itself is to be doubted.
 */
import type { ProbeSettings } from './settings.js';

/** `mute`: it was asked, and did not say what came of it. */
export type ProbeOutcome = 'answered' | 'silent' | 'mute' | 'notAsked';

export interface ProbeResult {
  readonly by: string;
  readonly outcome: ProbeOutcome;
}

interface Round {
  readonly id: number;
  readonly startedAt: number;
  readonly outcomes: Map<string, ProbeOutcome>;
}

/** The rounds of one member, one after the other while it is doubted. All times are awake times of the detector. */
export class Probing {
  readonly #settings: ProbeSettings;
  #round: Round | null = null;
  #startedAt = Number.NEGATIVE_INFINITY;
  #answeredAt = Number.NEGATIVE_INFINITY;
  #isSilent = false;
  #results: readonly ProbeResult[] = [];

  constructor(settings: ProbeSettings) {
    this.#settings = settings;
  }

  /** A whole round has passed, with no sign of life since. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Of the last round that came to an end. */
  get results(): readonly ProbeResult[] {
    return this.#results;
  }

  get isUnderWay(): boolean {
    return this.#round !== null;
  }

  isRefuted(now: number): boolean {
    return now - this.#answeredAt < this.#settings.answerCountsMs;
  }

  isDue(now: number, isDown: boolean): boolean {
    const { roundMs, downIntervalMs } = this.#settings;
    return this.#round === null && now - this.#startedAt >= (isDown ? downIntervalMs : roundMs);
  }

  begin(id: number, by: readonly string[], now: number): void {
    this.#round = { id, startedAt: now, outcomes: new Map(by.map((name) => [name, 'mute'])) };
    this.#startedAt = now;
  }

  /** False for what belongs to no round that is under way. */
  take(id: number, by: string, isAnswered: boolean, now: number): boolean {
    const round = this.#round;
    if (round?.id !== id || !round.outcomes.has(by)) return false;
    round.outcomes.set(by, isAnswered ? 'answered' : 'silent');
    if (!isAnswered) return true;
    this.refute(now);
    this.#finish(round);
    return true;
  }

  /** A sign of life that is no heartbeat. */
  refute(now: number): void {
    this.#answeredAt = now;
    this.#isSilent = false;
  }

  /** Ends the round whose time is over. `isUnheard`: others were asked, and none of them said anything. */
  conclude(now: number, self: string): { readonly isUnheard: boolean } {
    const round = this.#round;
    if (round === null || now - round.startedAt < this.#settings.roundMs) return { isUnheard: false };
    // Nobody tells the detector that its own ping was in vain.
    if (round.outcomes.has(self)) round.outcomes.set(self, 'silent');
    this.#isSilent = true;
    this.#finish(round);
    const others = [...round.outcomes].filter(([by]) => by !== self);
    return { isUnheard: others.length > 0 && others.every(([, outcome]) => outcome === 'mute') };
  }

  /** The member was heard. */
  reset(): void {
    this.#round = null;
    this.#isSilent = false;
    this.#results = [];
  }

  #finish(round: Round): void {
    this.#results = [...round.outcomes].map(([by, outcome]) => ({ by, outcome }));
    this.#round = null;
  }
}
