import type { Ballot, ShardOrdinal } from '@ringleader/primitives';
import type { ReplicaState } from '../messages.js';

/** A candidacy at one ballot (docs/PROTOCOL.md 4.1). */
export class Candidate {
  readonly kind = 'candidate';
  /** Promises, the own one included; each replica stands still below this ballot from its promise on. */
  readonly answers = new Map<ShardOrdinal, ReplicaState>();
  /** Set when a quorum has promised: from then on it is brought up to the greatest position. */
  adopting = false;
  preparedAt: number;

  constructor(
    readonly ballot: Ballot,
    readonly startedAt: number,
  ) {
    this.preparedAt = startedAt;
  }
}
