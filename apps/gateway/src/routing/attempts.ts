/**
 * The attempts of one request: which of their answers count (docs/PROTOCOL.md 4.7), and when another one is made. Pure:
 * readings of the clock and random numbers are arguments.
 *
 * A request is sent again under the same id and origin until it is settled, so several attempts may be under way. What
 * one of them *did* is true whichever it is: a success counts from any attempt. What one *found* (the key absent, a
 * condition failed) is true of its own moment only, while an earlier attempt may still be carried out: a failure counts
 * as the answer to the latest attempt (4.7.5). An attempt is *open* until somebody says that it did nothing. With no
 * attempt open nothing was done, and the client may be told so; with one open, a write's outcome is unknown.
 *
 * For the same reason a write never goes to a lower ballot than an open attempt of it: the latest attempt must be the
 * last one that can be carried out.
 */
import type { ShardReply } from '@ringleader/paxos';
import { backOffMs as doubled, jittered } from '@ringleader/primitives';
import type { Ballot, MonotonicMs } from '@ringleader/primitives';

export type RequestClass = 'write' | 'read';

export type SettlingReply = Extract<
  ShardReply,
  { readonly kind: 'written' | 'absent' | 'conditionFailed' | 'row' | 'rows' }
>;
type NotLeader = Extract<ShardReply, { readonly kind: 'notLeader' }>;

export type FailureCode = 'OVERLOADED' | 'UNAVAILABLE' | 'OUTCOME_UNKNOWN' | 'DEADLINE_EXCEEDED';

export type Verdict =
  | { readonly kind: 'settled'; readonly reply: SettlingReply }
  | { readonly kind: 'failed'; readonly code: FailureCode }
  /** Nothing was done by this attempt: somebody else leads, or nobody. */
  | { readonly kind: 'elsewhere'; readonly hint: NotLeader }
  /** This replica cannot answer: another one may. */
  | { readonly kind: 'anotherReplica' }
  /** Ask again after a pause. `isOwed`: whoever was asked has done its work, and only another attempt tells what became of it. */
  | { readonly kind: 'again'; readonly isOwed: boolean }
  /** The leader cannot tell whether it knows this id: its origin is too old. No attempt of it was carried out. */
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'ignored' };

interface OpenAttempt {
  readonly number: number;
  readonly ballot: Ballot;
  /** The answer was that the outcome is unknown. */
  saidUnknown: boolean;
  /** Open as well, and made before it. */
  before: OpenAttempt | null;
}

const IGNORED: Verdict = { kind: 'ignored' };
const FORGOTTEN: Verdict = { kind: 'forgotten' };
const AGAIN: Verdict = { kind: 'again', isOwed: false };
const OWED: Verdict = { kind: 'again', isOwed: true };
const ANOTHER_REPLICA: Verdict = { kind: 'anotherReplica' };

export class Attempts {
  private latest = 0;
  /** The last that is open; mostly there is no other. */
  private open: OpenAttempt | null = null;

  constructor(private readonly requestClass: RequestClass) {}

  get count(): number {
    return this.latest;
  }

  /** The next attempt of a write goes to this ballot or a higher one. */
  get ballotFloor(): Ballot {
    if (this.requestClass === 'read') return 0;
    let highest = 0;
    for (let each = this.open; each !== null; each = each.before) highest = Math.max(highest, each.ballot);
    return highest;
  }

  /**
   * Records a new attempt, before it is sent. Reads name no ballot: 0. A write that names none does nothing (4.7.2), so it is
   * never open.
   */
  begin(ballot: Ballot): number {
    this.latest += 1;
    if (ballot > 0 || this.requestClass === 'read')
      this.open = { number: this.latest, ballot, saidUnknown: false, before: this.open };
    return this.latest;
  }

  /** `isLate`: the deadline has passed. */
  answer(attempt: number, reply: ShardReply, isLate = false): Verdict {
    switch (reply.kind) {
      case 'written':
      case 'rows':
        return { kind: 'settled', reply };
      case 'row':
        // A replica that cannot tell how old its answer is gives none: clients are told the age of what they get.
        return reply.stalenessMs === null ? this.unable(attempt) : { kind: 'settled', reply };
      case 'absent':
      case 'conditionFailed':
        return attempt === this.latest ? { kind: 'settled', reply } : IGNORED;
      case 'notLeader':
        this.close(attempt);
        return attempt === this.latest ? { kind: 'elsewhere', hint: reply } : IGNORED;
      case 'tooStale':
        return this.unable(attempt);
      case 'overloaded':
        return this.overloaded(attempt, isLate);
      case 'outcomeUnknown':
        return this.outcomeUnknown(attempt);
    }
  }

  /** What to tell the client when the time is up. `isWaiting`: an attempt waits for its turn, here or at a shard. */
  atDeadline(isWaiting: boolean): FailureCode {
    const isOpen = this.open !== null;
    if (this.requestClass === 'read') return isOpen || isWaiting ? 'DEADLINE_EXCEEDED' : 'UNAVAILABLE';
    if (isOpen) return 'OUTCOME_UNKNOWN';
    return isWaiting ? 'OVERLOADED' : 'UNAVAILABLE';
  }

  private unable(attempt: number): Verdict {
    this.close(attempt);
    return attempt === this.latest ? ANOTHER_REPLICA : IGNORED;
  }

  /** A shard says the same of what it did not begin in time: then it is the time that was short. */
  private overloaded(attempt: number, isLate: boolean): Verdict {
    this.close(attempt);
    if (isLate) return { kind: 'failed', code: this.atDeadline(true) };
    if (this.open === null) return { kind: 'failed', code: 'OVERLOADED' };
    return attempt === this.latest ? AGAIN : IGNORED;
  }

  /**
   * Either the leader lost its ballot with the write in flight: then the next leader can tell. Or the request is older
   * than what the row remembers, and nothing was done with it. A leader that gave up its ballot never serves at it again
   * (4.1.8), so when the same ballot says so a second time it was the latter, both times.
   */
  private outcomeUnknown(attempt: number): Verdict {
    const latest = this.open;
    if (attempt !== this.latest || latest?.number !== attempt) return IGNORED;
    const { ballot } = latest;
    let saidBefore = false;
    let allSaid = true;
    for (let each: OpenAttempt | null = latest; each !== null; each = each.before) {
      const said = each.saidUnknown && each.ballot === ballot;
      saidBefore ||= said;
      allSaid &&= said || each === latest;
    }
    latest.saidUnknown = true;
    if (!saidBefore) return OWED;
    return allSaid ? FORGOTTEN : { kind: 'failed', code: 'OUTCOME_UNKNOWN' };
  }

  private close(attempt: number): void {
    let later: OpenAttempt | null = null;
    for (let each = this.open; each !== null; each = each.before) {
      if (each.number !== attempt) {
        later = each;
      } else {
        if (later === null) this.open = each.before;
        else later.before = each.before;
        return;
      }
    }
  }
}

export interface RetryTimings {
  /** An attempt without an answer for so long is followed by another one; doubled each time. */
  readonly attemptTimeoutMs: number;
  readonly attemptTimeoutMsMax: number;
  /** The same where other replicas can be asked as well (nobody is known to lead, or a stale answer will do). */
  readonly probeTimeoutMs: number;
  /** After an answer that nobody leads; doubled each time. A new leader that is heard of ends the pause at once. */
  readonly backOffMs: number;
  readonly backOffMsMax: number;
}

export const DEFAULT_RETRY_TIMINGS: RetryTimings = {
  attemptTimeoutMs: 1_000,
  attemptTimeoutMsMax: 4_000,
  probeTimeoutMs: 100,
  backOffMs: 20,
  backOffMsMax: 400,
};

/** What is slow because it is large must not become slower by being sent again. */
const BYTES_PER_MS = 256;

export interface AttemptFacts {
  /** Counted from 1. */
  readonly attempt: number;
  readonly bytes: number;
  /** Whoever is asked is one of several: it may have ended, or not lead. */
  readonly isProbe: boolean;
}

export function attemptTimeoutMs(timings: RetryTimings, { attempt, bytes, isProbe }: AttemptFacts): number {
  const firstMs = isProbe ? timings.probeTimeoutMs : timings.attemptTimeoutMs;
  return doubled({ firstMs, maxMs: timings.attemptTimeoutMsMax }, attempt) + Math.floor(bytes / BYTES_PER_MS);
}

/** `random`: 0 <= random < 1. */
export function backOffMs(timings: RetryTimings, attempt: number, random: number): number {
  return jittered(doubled({ firstMs: timings.backOffMs, maxMs: timings.backOffMsMax }, attempt), random);
}

/**
 * Retries are paid from a budget that successes fill (Dean and Barroso, "The Tail at Scale", 2013, and gRPC's retry
 * throttling): when most requests fail, sending each of them again would only add to what is wrong.
 */
export class RetryBudget {
  private tokens: number;

  constructor(
    private readonly tokensMax: number,
    /** What one success pays in: 0.2 allows one retry for five successes. */
    private readonly perSuccess: number,
    /** Paid in as time passes, so that an idle gateway recovers. */
    private readonly perSecond: number,
    private lastAt: MonotonicMs,
  ) {
    this.tokens = tokensMax;
  }

  succeeded(): void {
    this.tokens = Math.min(this.tokensMax, this.tokens + this.perSuccess);
  }

  /** False when the retry has to wait. */
  take(now: MonotonicMs): boolean {
    const elapsedMs = Math.max(0, now - this.lastAt);
    this.lastAt = now;
    this.tokens = Math.min(this.tokensMax, this.tokens + (elapsedMs / 1_000) * this.perSecond);
    if (this.tokens < 1) return false;
    this.tokens -= 1;
    return true;
  }
}
