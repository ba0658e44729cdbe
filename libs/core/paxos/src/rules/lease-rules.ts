import type { Ballot, Incarnation, Revision } from '@ringleader/primitives';
import type { PartitionAssignment } from '../ready.js';
import { hasQuorum, type Has } from './quorum.js';

/** One uninterrupted grant between a pair of shards (docs/PROTOCOL.md 4.4.1). */
export interface GrantSpan {
  readonly incarnation: Incarnation;
  readonly span: number;
}

/** docs/PROTOCOL.md 4.4 and 4.5.3. */
export interface LeaseRules {
  /** 4.4.1, 4.4.2: how long the holder counts a grant. Control: NoDriftBound. */
  countedLeaseMs(leaseMs: number, driftFraction: number): number;
  /** 4.4.2: the holder counts from its own sending time. Control: LeaseFromReply. */
  countedFrom(sentAt: number, receivedAt: number): number;
  /** 4.4.2: a grant covers a partition only when acknowledged within the same span. Control: PairLease. */
  coversPartition(acknowledged: GrantSpan | undefined, held: GrantSpan): boolean;
  /** 4.4.6: how far the clocks may move against each other unseen, each way. Control: LongStops. */
  clockToleranceMs(leaseMs: number, driftFraction: number): number;
  /** 4.4.6: with what the next look is compared, after one that saw no jump. Control: ShortStops. */
  clockBaseline(atLastJump: number, now: number): number;
  /** 4.4.6: may an own stamp prove anything, after a jump found at that reading? Controls: StampsOutliveStop, StampAtStop. */
  outlivesJump(stamp: number, jumpSeenAt: number): boolean;
  /** 4.4.5, 6.2. Controls: LeaseOldOnly, QuorumOne. */
  leaseQuorum(assignment: PartitionAssignment, has: Has): boolean;
  /** 4.4.5: computed when asked. Control: LeaseFlag (answers `seenEarlier`). */
  hasLease(computeNow: () => boolean, seenEarlier: boolean): boolean;
  /** 4.4.4. Control: NoRestartWait. */
  restartWaitMs(leaseMs: number): number;
  /** 4.4.3: what a Confirm makes the grant protect; 0 is nothing. Control: ConfirmProtectsNothing. */
  protectedByConfirm(ballot: Ballot): Ballot;
  /** 4.4.3: do grants end with the epoch? Control: EpochDropsGrant. */
  grantsEndWithEpoch(): boolean;
  /** 4.1.8, 4.4.7. Control: ReleasedKeepsServing. */
  servesAfterRelease(): boolean;
  /** 4.5.3. Control: FreshWithoutLease. */
  mayStampFresh(barrierCommitted: boolean, leased: boolean): boolean;
  /** 4.5.3: what a peer knows of the commit points told to it. Control: StampOutrunsPoints. */
  pointsKnown(heard: number, sent: number): number;
  /** 4.5.3: a stamp vouches for what was told up to it, to whoever heard that. Control: StampOutrunsPoints. */
  stampCounts(heard: number, upTo: number): boolean;
  /** 4.5.3: does a stamp vouch for a partition whose leadership ended? Control: FreshAfterStepDown. */
  freshAfterStepDown(): boolean;
  /** 4.5.4: a stamp is good for a commit point that the replica has reached. Control: StampUnreached. */
  pointReached(commit: Revision, point: Revision): boolean;
  /** 4.12.5: does a stamp vouch for what is heard after its hearer began to hear anew? Control: ForgettingKeepsStamp. */
  stampOutlivesForgetting(): boolean;
}

export const LEASE_RULES: LeaseRules = {
  countedLeaseMs: (leaseMs, driftFraction) => leaseMs * (1 - driftFraction),
  countedFrom: (sentAt) => sentAt,
  coversPartition: (acknowledged, held) =>
    acknowledged !== undefined &&
    acknowledged.incarnation === held.incarnation &&
    acknowledged.span === held.span,
  clockToleranceMs: (leaseMs, driftFraction) => (leaseMs * driftFraction) / 4,
  clockBaseline: (atLastJump) => atLastJump,
  outlivesJump: (stamp, jumpSeenAt) => stamp > jumpSeenAt,
  leaseQuorum: hasQuorum,
  hasLease: (computeNow) => computeNow(),
  restartWaitMs: (leaseMs) => leaseMs,
  protectedByConfirm: (ballot) => ballot,
  grantsEndWithEpoch: () => false,
  servesAfterRelease: () => false,
  mayStampFresh: (barrierCommitted, leased) => barrierCommitted && leased,
  pointsKnown: (heard) => heard,
  stampCounts: (heard, upTo) => heard >= upTo,
  freshAfterStepDown: () => false,
  pointReached: (commit, point) => commit >= point,
  stampOutlivesForgetting: () => false,
};
