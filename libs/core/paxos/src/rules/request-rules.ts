import {
  HYBRID_UNITS_PER_MS,
  type Ballot,
  type HybridTime,
  type Incarnation,
  type Revision,
} from '@ringleader/primitives';
import type { RequestMark, RequestMarks, Row } from '../records.js';
import { isKeyed } from '../requests.js';

/** docs/PROTOCOL.md 4.5 and 4.7. */
export interface RequestRules {
  /** 4.5.1: did all rows of the generation pass here, so that what is not known is not there? Control: KnowsEarlierLives. */
  knowsAllKeys(beganIn: Incarnation, present: Incarnation): boolean;
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
  /** 4.7.6: W, which clients repeat within on their clocks, on those of others. Control: WindowOfClients. */
  keyedWindowMs(repeatWindowMs: number, clocksDifferMs: number): number;
  /** 4.7.6: when the first attempt of a request may have been made. Control: RepeatIsNew. */
  earliestAttempt(requestId: string, origin: HybridTime, windowMs: number): HybridTime;
  /** 4.7.6: what a replica saw pass. Control: NoKeyedMemory. */
  recalled(mark: RequestMark | undefined): RequestMark | undefined;
  /** 4.7.6: does that count also where the key has no row any more? Control: MarkNeedsRow. */
  recallsWithoutRow(): boolean;
  /** 4.7.6: may a row join a batch, though it has forgotten a keyed write of it? Control: BatchHidesKeyed. */
  mayHideKeyedWrite(): boolean;
  /** 4.7.6: from when on the memory of a process that has seen nothing is complete. Control: MemoryFromStart. */
  memoryFloorAtStart(): HybridTime;
  /** 4.7.6: from when on a memory is complete that begins past this revision. Control: BeginsWhole. */
  memoryFloorFrom(now: HybridTime, revision: Revision): HybridTime;
  /** 4.7.6: what is known of a key of which a row has passed. Control: SeenIsComplete. */
  floorOfSeenKey(requestFloor: HybridTime): HybridTime;
  /** 4.7.6: the floor, when a keyed write falls off the bounded memory. Control: DropsQuietly. */
  floorAfterDrop(floor: HybridTime, dropped: HybridTime): HybridTime;
  /** 4.7.6: does the memory outlive a repair or copy? Control: MemoryOutlivesRepair. */
  memoryOutlivesInstall(): boolean;
  /** 4.7.6: is what another remembers of the history that this is of? Control: MemoryOfOtherHistory. */
  isOfSameHistory(told: Ballot, own: Ballot): boolean;
  /** 4.7.6: is what another remembers a part of the own history? Control: RemembersAhead. */
  isInHistory(revision: Revision, end: Revision): boolean;
  /** 4.7.6: has all passed here that the other had not seen? Control: MemoryWithHole. */
  memoriesMeet(begunAt: Revision, toldUpTo: Revision): boolean;
  /** 4.7.6: from when on what is told is complete. Control: MemoryToldWhole. */
  floorToTell(floor: HybridTime): HybridTime;
  /** 4.7.6: does a leader that steps down remember what it decided and did not send? Control: KeepsUnsent. */
  keepsUnsent(): boolean;
  /** 4.7.3: which commit point a repeated answer awaits. Control: DedupeBeforeCommit. */
  repeatAwaits(first: Revision): Revision;
  /** 4.7.4. Control: NoFailMemory. */
  remembersFailures(): boolean;
  /** 4.7.4: the same checks as the first time. Control: ToldWithoutLease. */
  toldAwaitsLease(): boolean;
  /** 4.7.4: what is compared with the floor of the failed conditions. Control: FailFloorByOrigin. */
  comparedWithFailFloor(earliestAttempt: HybridTime, origin: HybridTime): HybridTime;
  /** 4.6.3: the tombstone of an expired row is a write like any other. Control: ExpiryPassesBackPressure. */
  expiryMayBeDecided(hasRoom: boolean, handingOver: boolean): boolean;
  /** 4.6.3: what the tombstone of an expired row remembers. Control: ExpiryForgets. */
  marksOfExpired(marks: RequestMarks): RequestMarks;
  /** 4.5.1, of a scan. Control: ScanWithoutLease. */
  scanAwaitsLease(): boolean;
  /** 4.5.2, of a scan: nothing that is not committed was stored before the read, nor since. Control: StaleScanUnsettled. */
  scanIsSettled(quietBefore: boolean, sameHistory: boolean): boolean;
  /** 4.5.2: the commit point is taken before the row. Control: CommitReadAfterRow. */
  commitForStaleRead(takenBefore: Revision, now: Revision): Revision;
}

export const REQUEST_RULES: RequestRules = {
  knowsAllKeys: (beganIn, present) => beganIn === present,
  leaderRuns: (own, named) => own === named,
  rowToDecideOn: (newest) => newest,
  failureAwaits: (decidedOn) => decidedOn,
  failureAwaitsBarrier: () => true,
  failureAwaitsLease: () => true,
  marksPerRow: () => 4,
  isForgotten: (origin, floor) => origin <= floor,
  keyedWindowMs: (repeatWindowMs, clocksDifferMs) => repeatWindowMs + clocksDifferMs,
  earliestAttempt: (requestId, origin, windowMs) =>
    isKeyed(requestId) ? origin - windowMs * HYBRID_UNITS_PER_MS : origin,
  recalled: (mark) => mark,
  recallsWithoutRow: () => true,
  mayHideKeyedWrite: () => false,
  memoryFloorAtStart: () => Number.POSITIVE_INFINITY,
  memoryFloorFrom: (now, revision) => (revision === 0 ? 0 : now),
  floorOfSeenKey: (requestFloor) => requestFloor,
  floorAfterDrop: Math.max,
  memoryOutlivesInstall: () => false,
  isOfSameHistory: (told, own) => told === own,
  isInHistory: (revision, end) => revision <= end,
  memoriesMeet: (begunAt, toldUpTo) => begunAt <= toldUpTo,
  floorToTell: (floor) => floor,
  keepsUnsent: () => false,
  repeatAwaits: (first) => first,
  remembersFailures: () => true,
  toldAwaitsLease: () => true,
  comparedWithFailFloor: (earliestAttempt) => earliestAttempt,
  expiryMayBeDecided: (room, handingOver) => room && !handingOver,
  marksOfExpired: (marks) => marks,
  scanAwaitsLease: () => true,
  scanIsSettled: (quietBefore, sameHistory) => quietBefore && sameHistory,
  commitForStaleRead: (takenBefore) => takenBefore,
};
