import type { Ballot, ShardOrdinal } from '@ringleader/primitives';
import type { ReplicaState } from '../messages.js';

/** A candidacy at one ballot (docs/PROTOCOL.md 4.1). */
export class Candidate {
  readonly kind = 'candidate';
  /** Promises, the own one included; each replica stands still below this ballot from its promise on. */
  readonly answers = new Map<ShardOrdinal, ReplicaState>();
  /** Set when a quorum has promised: from then on it is brought up to the greatest position. */
  adopting = false;
  /** Since when a quorum could have answered: the own promise is durable and no grant is known to forbid others theirs. */
  askedSince = Number.POSITIVE_INFINITY;
  /** When those who have not promised are asked again. */
  askAgainAt = Number.POSITIVE_INFINITY;

  constructor(readonly ballot: Ballot) {}
}
