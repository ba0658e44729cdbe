import type { Ballot, HybridTime, Revision } from '@ringleader/primitives';
import type { RequestMark, Row } from '../records.js';
import { earliestAttempt } from '../writes/keyed-requests.js';

/** docs/PROTOCOL.md 4.5 and 4.7. */
export interface RequestRules {
  /** 4.7.2. Control: AnyLeaderRuns. */
  leaderRuns(own: Ballot, named: Ballot): boolean;
  /** 4.7.1: on which row a condition is decided. Control: CondOnCommitted. */
  rowToDecideOn(newest: Row | null, settled: Row | null): Row | null;
  /** 4.7.1: which commit point a failed condition awaits. Control: FailOnUncommitted. */
  failureAwaits(decidedOn: Revision): Revision;
  /** 4.7.1. Control: FailBeforeBarrier. */
  failureAwaitsBarrier(): boolean;
  /** 4.7.1. Control: FailWithoutLease. */
  failureAwaitsLease(): boolean;
  /** 4.7.3: how many writes a row remembers. Control: LastIdOnly (1, and no floor). */
  marksPerRow(): number;
  /** 4.7.3: is it too late to tell whether the request was applied? Control: LastIdOnly. */
  isForgotten(origin: HybridTime, floor: HybridTime): boolean;
  /** 4.7.6: when the first attempt of a request may have been made. Control: RepeatIsNew. */
  earliestAttempt(requestId: string, origin: HybridTime, repeatWindowMs: number): HybridTime;
  /** 4.7.6: what a replica saw pass. Control: NoKeyedMemory. */
  recalled(mark: RequestMark | undefined): RequestMark | undefined;
  /** 4.7.3: which commit point a repeated answer awaits. Control: DedupeBeforeCommit. */
  repeatAwaits(first: Revision): Revision;
  /** 4.7.4. Control: NoFailMemory. */
  remembersFailures(): boolean;
  /** 4.5.2: the commit point is taken before the row. Control: CommitReadAfterRow. */
  commitForStaleRead(takenBefore: Revision, now: Revision): Revision;
}

export const REQUEST_RULES: RequestRules = {
  leaderRuns: (own, named) => own === named,
  rowToDecideOn: (newest) => newest,
  failureAwaits: (decidedOn) => decidedOn,
  failureAwaitsBarrier: () => true,
  failureAwaitsLease: () => true,
  marksPerRow: () => 4,
  isForgotten: (origin, floor) => origin <= floor,
  earliestAttempt,
  recalled: (mark) => mark,
  repeatAwaits: (first) => first,
  remembersFailures: () => true,
  commitForStaleRead: (takenBefore) => takenBefore,
};
