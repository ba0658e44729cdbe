/** When a detector votes, and whom its vote names: at once when it changes its mind, and again and again. */
import type { MonotonicMs } from '@ringleader/primitives';
import type { MemberAssessment } from './failure-detector.js';
import type { MemberState } from './member-monitor.js';

/** Also with nothing to doubt: who counts the votes counts as well who votes for a member by not naming it. */
export const VOTE_INTERVAL_MS = 500;
/** So long a vote counts: six may be lost. */
export const VOTE_COUNTS_MS = 3_000;
/** So long a member that is doubted no more is still named: it is alive under its new incarnation. */
const NAMED_AFTERWARDS_MS = 10_000;

export interface DueVote {
  readonly named: readonly MemberAssessment[];
  /** Of which it says nothing. */
  readonly unheard: readonly string[];
}

export class Voter {
  readonly #states = new Map<string, MemberState>();
  readonly #namedUntil = new Map<string, MonotonicMs>();
  #nextAt: MonotonicMs = Number.NEGATIVE_INFINITY;

  /** Null while there is nothing new to say, and it is too early to repeat it, or the last vote is still `underWay`. */
  take(assessments: readonly MemberAssessment[], at: MonotonicMs, underWay: boolean): DueVote | null {
    const hasChanged = this.#noteChanges(assessments);
    this.#noteDoubts(assessments, at);
    const isDue = at >= this.#nextAt && !underWay;
    if (!hasChanged && !isDue) return null;
    this.#nextAt = at + VOTE_INTERVAL_MS;
    return {
      named: assessments.filter(({ member }) => this.#namedUntil.has(member)),
      unheard: assessments.filter(({ state }) => state === 'unknown').map(({ member }) => member),
    };
  }

  #noteChanges(assessments: readonly MemberAssessment[]): boolean {
    let hasChanged = false;
    for (const { member, state } of assessments) {
      const before = this.#states.get(member);
      if (before === state) continue;
      this.#states.set(member, state);
      // That one is heard for the first time changes no verdict.
      hasChanged ||= before !== undefined;
    }
    if (this.#states.size > assessments.length)
      this.#forget(new Set(assessments.map(({ member }) => member)));
    return hasChanged;
  }

  #forget(present: ReadonlySet<string>): void {
    for (const member of this.#states.keys()) if (!present.has(member)) this.#states.delete(member);
  }

  #noteDoubts(assessments: readonly MemberAssessment[], at: MonotonicMs): void {
    for (const { member, state } of assessments) {
      if (state === 'suspect' || state === 'down') this.#namedUntil.set(member, at + NAMED_AFTERWARDS_MS);
    }
    for (const [member, until] of this.#namedUntil) if (at > until) this.#namedUntil.delete(member);
  }
}
