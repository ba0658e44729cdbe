/** One request on its way, and what each attempt of it is remembered by. There are many at once, so they are few objects each. */
import type { FramedRequest } from '@ringleader/contracts';
import type { Ballot, MonotonicMs, ShardOrdinal } from '@ringleader/primitives';
import { Attempts } from './attempts.js';
import type { FailureCode, SettlingReply } from './attempts.js';
import type { Route } from './routing-table.js';
import type { QueuedRequest } from './shard-channel.js';
import type { Target } from './targets.js';

export type Outcome =
  | { readonly kind: 'answered'; readonly reply: SettlingReply; readonly servedBy: ShardOrdinal }
  /** `forgotten`: nothing was done now, but nobody can tell any more what an earlier attempt of the client's did. */
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly forgotten?: true };

/**
 * `queued`: an attempt waits in a channel. `sent`: the latest attempt is on its way, until `wakeAt`.
 * `pausing`: nothing is on its way that could still be answered, until `wakeAt` or until a leader is heard of.
 */
type Phase = 'queued' | 'sent' | 'pausing' | 'settled';

/** Whoever waits for a request: told once, which may be before `carry` returns. Must not throw. */
export interface Settler {
  settled(outcome: Outcome): void;
}

export type Framing = (flight: InFlight, route: Route, token: number) => FramedRequest | null;

/** Its target, its attempts, and what is to happen next. It is what waits in a channel, too. */
export class InFlight implements QueuedRequest {
  attempts: Attempts;
  phase: Phase = 'pausing';
  wakeAt: MonotonicMs = 0;
  /** The next attempt is not paid from the budget of retries: it is no more of what goes wrong, but what an answer asked for. */
  isOwed = false;
  /** The ballot that the latest attempt went to. */
  lastBallot: Ballot = 0;
  /** The latest attempt that was sent. */
  sent: Sent | null = null;
  /** Where it waits to be sent to. */
  route: Route | null = null;

  constructor(
    readonly target: Target,
    readonly deadline: MonotonicMs,
    private readonly settler: Settler,
    private readonly framing: Framing,
  ) {
    this.attempts = new Attempts(target.requestClass);
  }

  get bytes(): number {
    return this.target.bytes;
  }

  /** Null also where it was sent, or waits elsewhere, since it was put into this queue. */
  frame(token: number, shard: ShardOrdinal): FramedRequest | null {
    const { route } = this;
    return this.phase !== 'queued' || route?.shard !== shard ? null : this.framing(this, route, token);
  }

  /** What was tried so far did nothing: begins anew, as another request. */
  startOver(): void {
    this.attempts = new Attempts(this.target.requestClass);
    this.lastBallot = 0;
  }

  settle(outcome: Outcome): void {
    this.phase = 'settled';
    this.settler.settled(outcome);
  }
}

/** An attempt that was sent. */
export interface Sent {
  readonly flight: InFlight;
  /** How many tokens were given before its own: small numbers take no objects. */
  readonly number: number;
  readonly attempt: number;
  readonly shard: ShardOrdinal;
  readonly ballot: Ballot;
  readonly at: MonotonicMs;
  /** The one before it of the same request. */
  readonly before: Sent | null;
  /** An answer is not waited for any more. */
  isOver: boolean;
}
