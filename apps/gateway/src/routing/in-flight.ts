/** One request on its way: its target, its attempts, and what is to happen next. */
import type { Ballot, MonotonicMs, ShardOrdinal } from '@ringleader/primitives';
import { Attempts } from './attempts.js';
import type { FailureCode, SettlingReply } from './attempts.js';
import type { Target } from './targets.js';

export type Outcome =
  | { readonly kind: 'answered'; readonly reply: SettlingReply; readonly servedBy: ShardOrdinal }
  /** `forgotten`: nothing was done now, but nobody can tell any more what an earlier attempt of the client's did. */
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly forgotten?: true };

/**
 * `queued`: an attempt waits in a channel. `sent`: the latest attempt is on its way, until `wakeAt`.
 * `pausing`: nothing is on its way that could still be answered, until `wakeAt` or until a leader is heard of.
 */
export type Phase = 'queued' | 'sent' | 'pausing' | 'settled';

export class InFlight {
  attempts: Attempts;
  readonly tokens: number[] = [];
  phase: Phase = 'pausing';
  wakeAt: MonotonicMs = 0;
  /** The ballot that the latest attempt went to. */
  lastBallot: Ballot = 0;

  constructor(
    readonly target: Target,
    readonly deadline: MonotonicMs,
    private readonly onSettled: (outcome: Outcome) => void,
  ) {
    this.attempts = new Attempts(target.requestClass);
  }

  /** What was tried so far did nothing: begins anew, as another request. */
  startOver(): void {
    this.attempts = new Attempts(this.target.requestClass);
    this.lastBallot = 0;
  }

  settle(outcome: Outcome): void {
    this.phase = 'settled';
    this.onSettled(outcome);
  }
}
