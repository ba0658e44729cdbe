import type { Revision } from '@ringleader/primitives';

/** What the leader of a joint epoch knows of it. */
export interface JointFacts {
  /** By majorities of both sets, at exactly the epoch of the entry. */
  readonly barrierCommitted: boolean;
  readonly leaderStays: boolean;
  /** All of the new set that are not down follow the leader at its ballot, within one repair. */
  readonly allFollow: boolean;
}

/** What a leader knows of a learner. */
export interface LearnerFacts {
  /** It is durably at the leader's ballot. */
  readonly atBallot: boolean;
  /** It said that batches are of no use to it. */
  readonly behind: boolean;
  readonly missing: Revision;
  /** What a repair may carry. */
  readonly repairRowsMax: number;
}

/** docs/PROTOCOL.md 6: what a leader says of a change of its replicas, on which the coordinators take the next step. */
export interface MoveRules {
  /** 6.3. Control: SettleOnData. */
  readyToSettle(facts: JointFacts): boolean;
  /** 6.1. Control: CaughtUpUnseen. */
  learnerCaughtUp(facts: LearnerFacts): boolean;
}

export const MOVE_RULES: MoveRules = {
  readyToSettle: ({ barrierCommitted, leaderStays, allFollow }) =>
    barrierCommitted && leaderStays && allFollow,
  learnerCaughtUp: ({ atBallot, behind, missing, repairRowsMax }) =>
    atBallot && !behind && missing <= repairRowsMax,
};
