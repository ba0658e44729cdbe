/**
 * What most detectors say: their votes, as the coordinators' leader counts them. A verdict needs a majority of the
 * detectors that there should be, not of those that happen to vote, so a group of detectors that is cut in two calls
 * nobody down on its smaller side; without a majority all stays as it is. Volatile: votes are said again and again.
 */
import type { MonotonicMs } from '@ringleader/primitives';

export type Verdict = 'alive' | 'suspect' | 'down';

export interface Ballot<Evidence> {
  readonly verdict: Verdict;
  /** Of the process that was judged; null when none was ever heard. */
  readonly instance: string | null;
  /** Null of a member that has none. */
  readonly incarnation: number | null;
  readonly evidence: Evidence;
}

export interface Vote<Evidence> {
  /** Of the detector's process. */
  readonly instance: string;
  /** Counts up within an instance: a vote that was overtaken counts for nothing. */
  readonly sequence: number;
  /** Whom it doubts, or has doubted. All others are alive to it, */
  readonly ballots: ReadonlyMap<string, Ballot<Evidence>>;
  /** but for those that it has not heard yet, of which it says nothing. */
  readonly unheard: ReadonlySet<string>;
}

export interface CountedBallot<Evidence> extends Ballot<Evidence> {
  readonly detector: string;
}

export interface Judgement<Evidence> {
  readonly verdict: Verdict;
  readonly instance: string | null;
  /** All that counted, for the verdict or against it. */
  readonly ballots: readonly CountedBallot<Evidence>[];
}

/** Of the detectors that are registered, or that there should be, whichever is more. */
export function quorumOf(registered: number, configured: number): number {
  return Math.floor(Math.max(registered, configured) / 2) + 1;
}

const GRAVE_FIRST: readonly Verdict[] = ['down', 'suspect', 'alive'];
const GRAVITY: Readonly<Record<Verdict, number>> = { alive: 0, suspect: 1, down: 2 };

/** So many times as long as votes count, one of a detector's that was overtaken is still known for that. */
const FORGOTTEN_AFTER = 100;

export class VerdictTally<Evidence> {
  readonly #freshMs: number;
  readonly #votes = new Map<string, Vote<Evidence> & { readonly at: MonotonicMs }>();

  constructor(freshMs: number) {
    this.#freshMs = freshMs;
  }

  /** False for a vote that a later one overtook. */
  take(detector: string, vote: Vote<Evidence>, now: MonotonicMs): boolean {
    const last = this.#votes.get(detector);
    if (last?.instance === vote.instance && last.sequence >= vote.sequence) return false;
    // Detectors in pods have another name each time.
    for (const [other, { at }] of this.#votes)
      if (now - at > FORGOTTEN_AFTER * this.#freshMs) this.#votes.delete(other);
    this.#votes.set(detector, { ...vote, at: now });
    return true;
  }

  /** Of a leader that is none any more, or was not yet. */
  clear(): void {
    this.#votes.clear();
  }

  /** Whose votes are fresh. */
  detectors(now: MonotonicMs): string[] {
    return [...this.#votes].filter(([, { at }]) => now - at <= this.#freshMs).map(([detector]) => detector);
  }

  /** All that anybody doubts, or has doubted. */
  mentioned(now: MonotonicMs): Set<string> {
    const fresh = this.detectors(now).map((detector) => this.#votes.get(detector));
    return new Set(fresh.flatMap((vote) => [...(vote?.ballots.keys() ?? [])]));
  }

  /**
   * Null where no majority agrees. Who holds a member to be down holds it to be a suspect, too. `registered` is the process
   * that is registered at present, null where none is: what is held against another one is of the past. That another one
   * lives is news: it has not been registered yet.
   */
  judge(
    member: string,
    { registered, quorum }: { readonly registered: string | null; readonly quorum: number },
    now: MonotonicMs,
  ): Judgement<Evidence> | null {
    const { ballots, silentlyAlive } = this.#count(member, registered, now);
    for (const verdict of GRAVE_FIRST) {
      const agreeing = ballots.filter((ballot) =>
        verdict === 'alive' ? ballot.verdict === 'alive' : GRAVITY[ballot.verdict] >= GRAVITY[verdict],
      );
      const votes = agreeing.length + (verdict === 'alive' ? silentlyAlive : 0);
      if (votes < quorum) continue;
      return { verdict, instance: agreeing[0]?.instance ?? registered, ballots };
    }
    return null;
  }

  /** What is said of an incarnation does not count beside the word that a higher one is alive. */
  #count(
    member: string,
    registered: string | null,
    now: MonotonicMs,
  ): { readonly ballots: readonly CountedBallot<Evidence>[]; readonly silentlyAlive: number } {
    const cast: CountedBallot<Evidence>[] = [];
    let silentlyAlive = 0;
    for (const [detector, vote] of this.#votes) {
      if (now - vote.at > this.#freshMs || vote.unheard.has(member)) continue;
      const ballot = vote.ballots.get(member);
      if (ballot === undefined) silentlyAlive += 1;
      else if (ballot.verdict === 'alive' || isPresent(ballot.instance, registered)) {
        cast.push({ ...ballot, detector });
      }
    }
    const refutes = (one: CountedBallot<Evidence>, other: CountedBallot<Evidence>): boolean =>
      one.verdict === 'alive' &&
      one.instance === other.instance &&
      (one.incarnation ?? 0) > (other.incarnation ?? 0);
    const ballots = cast.filter((ballot) => !cast.some((other) => refutes(other, ballot)));
    return { ballots, silentlyAlive };
  }
}

/** Not of a process that was replaced. */
function isPresent(judged: string | null, registered: string | null): boolean {
  return registered === null || judged === null || judged === registered;
}
