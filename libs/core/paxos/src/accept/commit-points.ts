/** What a replica makes of the commit points, and of the stamps that vouch for them, which it heard (4.2.5, 4.5.3). */
import type { Revision, ShardOrdinal } from '@ringleader/primitives';
import type { CommitPoint, CommitPoints } from '../messages.js';
import type { Port } from '../parts.js';
import { ownerOf } from '../ballot.js';
import type { Replica } from '../partition/replica.js';
import { isBallotInReach, type PlausibilityPort } from '../plausible.js';
import {
  answerGap,
  dropStaging,
  followsLeader,
  hearLeader,
  isOfThisEpoch,
  learnCommit,
  type AcceptorPort,
} from './acceptor.js';

export type CommitPointsPort = AcceptorPort & PlausibilityPort & Port<'replicas' | 'rules' | 'pointsHeard'>;

export function onCommitPoints(context: CommitPointsPort, from: ShardOrdinal, message: CommitPoints): void {
  const believed = context.grants.incarnationOf(from);
  const points = context.pointsHeard.take(from, message, believed, (point, freshAt) => {
    const replica = context.replicas.get(point.partition);
    if (replica !== undefined) remember(context, replica, point, freshAt);
  });
  for (const point of points) {
    const replica = context.replicas.get(point.partition);
    if (replica !== undefined && isOfThisEpoch(context, replica, point)) learn(context, replica, from, point);
  }
}

function learn(context: CommitPointsPort, replica: Replica, from: ShardOrdinal, point: CommitPoint): void {
  if (!isBallotInReach(context, replica, from, point.ballot)) return;
  if (!followsLeader(context, replica, from, point)) return;
  const { ballot, commit } = point;
  replica.heardCommit = Math.max(replica.heardCommit, commit);
  hearLeader(context, replica, ballot);
  const isKnown = learnCommit(context, replica, point) && replica.record.position.revision >= commit;
  if (replica.catchUp !== null) return;
  if (isKnown) dropStaging(context, replica);
  else answerGap(context, replica, from, point);
}

/** What was proven stays so when the point is replaced by a later one, which the replica may not have reached. */
function remember(context: CommitPointsPort, replica: Replica, point: CommitPoint, freshAt: number): void {
  if (!vouchesFor(context, replica, point)) return;
  if (replica.fresh === null || freshAt > replica.fresh.at) {
    replica.fresh = { at: freshAt, commit: point.commit };
  }
}

/** A stamp is good for a commit point that this replica has reached, in the history that it is about. */
function vouchesFor(context: CommitPointsPort, replica: Replica, point: CommitPoint): boolean {
  const { epoch, position, promised } = replica.record;
  const { rules } = context;
  return (
    point.fresh &&
    rules.pointReached(replica.commit, point.commit) &&
    rules.takesCommit(position.ballot, point.ballot) &&
    rules.mayAccept(point.ballot, promised) &&
    rules.sameEpoch(epoch, point.epoch)
  );
}

/**
 * 4.5.3: the own sending time up to which everything that was committed is at or before this commit point; null where
 * none is proven.
 */
export function vouchedAt(context: CommitPointsPort, replica: Replica, commit: Revision): number | null {
  const { fresh, record, partition } = replica;
  const remembered = fresh !== null && fresh.commit <= commit ? fresh.at : null;
  const leader = ownerOf(record.position.ballot);
  const point = context.pointsHeard.pointOf(leader, partition);
  if (point === undefined || !context.rules.pointReached(commit, point.commit)) return remembered;
  if (!vouchesFor(context, replica, point)) return remembered;
  const stamped = context.pointsHeard.freshAt(leader);
  if (stamped === null || remembered === null) return stamped ?? remembered;
  return Math.max(stamped, remembered);
}
