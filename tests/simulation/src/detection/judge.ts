/** What must hold of every verdict, and what is measured. It knows what is true of the members, and trusts no tally. */
import { VOTE_COUNTS_MS } from '@ringleader/failure-detection';
import { SimulationFailure } from '@ringleader/testing-simulation';
import type { SimulatedDetector, SimulatedMember } from './processes.js';
import { MAJORITY } from './profile.js';

export type Verdict = 'alive' | 'suspect' | 'down';

export interface Measures {
  falseVerdicts: number;
  changes: number;
  /** Of them, to alive. */
  returns: number;
  /** From its death on. */
  readonly suspectMs: number[];
  readonly downMs: number[];
}

/** A pause that is longer is a reason to suspect somebody; so are all verdicts in a cut, and soon after it. */
const PAUSE_TO_BE_BORNE_MS = 650;
const DOUBT_LASTS_MS = 6_000;
const SUSPECT_WITHIN_MS = 1_000;
const DOWN_WITHIN_MS = 3_000;

export class Judge {
  readonly measures: Measures = { falseVerdicts: 0, changes: 0, returns: 0, suspectMs: [], downMs: [] };
  #cutUntil = Number.NEGATIVE_INFINITY;
  /** Since when so few detectors reach the leader that they are no majority. */
  #minoritySince = Number.POSITIVE_INFINITY;

  constructor(
    private readonly detectors: readonly SimulatedDetector[],
    /** Whether kills must be noticed in time, and a false verdict ends the run. */
    private readonly demands: { readonly inTime: boolean; readonly isStrict: boolean },
  ) {}

  cut(now: number, endsAt: number, leaderSide: number): void {
    this.#cutUntil = Math.max(this.#cutUntil, endsAt);
    const reaching = this.detectors.filter(({ side }) => side === leaderSide).length;
    this.#minoritySince = reaching < MAJORITY ? Math.min(this.#minoritySince, now) : Infinity;
  }

  healed(): void {
    this.#minoritySince = Number.POSITIVE_INFINITY;
  }

  verdict(member: SimulatedMember, verdict: Verdict, now: number): void {
    this.measures.changes += 1;
    if (now - this.#minoritySince > VOTE_COUNTS_MS) {
      throw new SimulationFailure(
        'minority-is-silent',
        `${member.name} became ${verdict} without a majority`,
      );
    }
    if (verdict === 'alive') {
      this.measures.returns += 1;
      return;
    }
    this.#demandMajority(member, verdict, now);
    if (!member.isAlive) return this.#measure(member, verdict, now);
    if (this.#isDoubtful(member, now)) return;
    this.measures.falseVerdicts += 1;
    if (this.demands.isStrict) {
      const held = this.detectors.map((detector) => heldBy(detector, member.name)).join('; ');
      const what = `${member.name} lives, and became ${verdict} at ${now.toFixed(0)} ms: ${held}`;
      throw new SimulationFailure('false-verdict', what);
    }
  }

  /** A member that has been dead for that long has the verdict it should have. */
  late(member: SimulatedMember, verdict: Verdict, deadMs: number): void {
    if (!this.demands.inTime || member.isAlive) return;
    const isLate =
      (deadMs >= DOWN_WITHIN_MS && verdict !== 'down') ||
      (deadMs >= SUSPECT_WITHIN_MS && verdict === 'alive');
    if (isLate) {
      throw new SimulationFailure(
        'detects-in-time',
        `${member.name} is ${verdict} ${String(deadMs)} ms after its death`,
      );
    }
  }

  /** Not asked of the tally: of those that held it, lately, themselves. */
  #demandMajority({ name }: SimulatedMember, verdict: 'suspect' | 'down', now: number): void {
    const holding = this.detectors.filter(({ doubtedAt }) => {
      const at = doubtedAt.get(name)?.[verdict] ?? Number.NEGATIVE_INFINITY;
      return now - at <= 2 * VOTE_COUNTS_MS;
    });
    if (holding.length >= MAJORITY) return;
    throw new SimulationFailure(
      'majority',
      `${name} became ${verdict} by the word of ${String(holding.length)}`,
    );
  }

  #measure(member: SimulatedMember, verdict: 'suspect' | 'down', now: number): void {
    const { suspectMs, downMs } = this.measures;
    (verdict === 'suspect' ? suspectMs : downMs).push(now - member.killedAt);
  }

  #isDoubtful({ stillUntil, stoodStillMs }: SimulatedMember, now: number): boolean {
    const paused = stoodStillMs > PAUSE_TO_BE_BORNE_MS && now - stillUntil < DOUBT_LASTS_MS;
    return paused || now - this.#cutUntil < DOUBT_LASTS_MS;
  }
}

function heldBy({ assessments }: SimulatedDetector, name: string): string {
  const held = assessments.find(({ member }) => member === name);
  if (held === undefined) return 'unknown';
  const { state, phi, silenceMs, isHeld, probes } = held;
  const outcomes = probes.map(({ outcome }) => outcome).join(' ');
  const silence = `silent for ${(silenceMs ?? 0).toFixed(0)} ms`;
  return `${state}${isHeld ? ', held' : ''}, phi ${phi.toFixed(1)}, ${silence}, probes ${outcomes}`;
}
