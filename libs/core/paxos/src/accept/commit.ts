import { finishHandover, type HandoverPort } from '../leadership/handover.js';
import { answerAsLeader, type LeasePort } from '../leadership/lease.js';
import type { Port } from '../parts.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import { settle } from '../partition/waiters.js';

export type CommitPort = HandoverPort &
  LeasePort &
  Port<'rules' | 'limits' | 'outbox' | 'flushes' | 'admission'>;

/** May another revision be decided, or is too much in flight (4.2.6)? */
export function hasRoom(context: CommitPort, replica: Replica, leader: Leader): boolean {
  return hasRoomForRevision(context, replica, leader) && hasRoomForBytes(context, replica, leader);
}

function hasRoomForRevision(context: CommitPort, replica: Replica, leader: Leader): boolean {
  const { inFlightRevisionsMax, repairRowsMax } = context.limits;
  // Half a repair: with the batch that carries the commit point, the uncommitted end of a history always fits one.
  const revisionsMax = Math.min(inFlightRevisionsMax, Math.max(1, Math.floor(repairRowsMax / 2)));
  return leader.lastRevision - replica.commit < revisionsMax;
}

/** Few large rows fill it, but not for long: what finds it full waits for its turn. */
function hasRoomForBytes(context: CommitPort, replica: Replica, leader: Leader): boolean {
  const isIdle = leader.lastRevision <= replica.commit;
  return isIdle || leader.bytesInFlight < context.limits.repairBytesMax / 2;
}

/** More is known to be durable: commits what can be; a handover ends where that was what it waited for (4.4.8). */
export function onMoreDurable(context: CommitPort, replica: Replica, leader: Leader): void {
  commitWithQuorum(context, replica, leader);
  finishHandover(context, replica, leader);
}

/** 4.2.4: what a quorum has at this ballot, and the leader's own rows too, is committed; then it is answered. */
function commitWithQuorum(context: CommitPort, replica: Replica, leader: Leader): void {
  const { assignment } = replica;
  if (assignment === null || replica.role !== leader) return;
  const acknowledged = context.rules.committedRevision(assignment, (ordinal) =>
    ordinal === context.ordinal ? leader.durableRevision : (leader.progress.get(ordinal)?.acknowledged ?? -1),
  );
  const sent = replica.record.position.revision;
  const revision = Math.min(acknowledged, context.rules.ownLimit(leader.durableRevision, sent), sent);
  if (revision < leader.beginsAt) return;
  const barrierNow = !leader.barrierCommitted;
  if (!barrierNow && revision <= replica.commit) return;
  replica.advanceCommit(revision);
  leader.barrierCommitted = true;
  if (barrierNow) {
    const { epoch, ballot } = leader;
    context.outbox.event({ kind: 'leading', partition: replica.partition, epoch, ballot });
    for (const waiter of leader.barrierWaiters.splice(0)) leader.waiters.add(waiter);
  }
  settleCommitted(context, replica, leader);
}

function settleCommitted(context: CommitPort, replica: Replica, leader: Leader): void {
  let waiter = leader.waiters.take(replica.commit);
  while (waiter !== null) {
    if (waiter.needsLeadership) answerAsLeader(context, replica, leader, waiter);
    else settle(context.admission, waiter);
    waiter = leader.waiters.take(replica.commit);
  }
  let behindMost = Number.POSITIVE_INFINITY;
  for (const peer of replica.peers) behindMost = Math.min(behindMost, leader.progressOf(peer).acknowledged);
  leader.retained.prune(replica.commit, behindMost);
  leader.bytesInFlight = bytesInFlight(replica, leader);
  if (leader.open.length > 0) context.flushes.add(replica);
  while (leader.awaitingRoom.length > 0 && hasRoom(context, replica, leader))
    leader.awaitingRoom.shift()?.again();
}

function bytesInFlight(replica: Replica, leader: Leader): number {
  let bytes = leader.retained.bytesPast(replica.commit);
  for (const batch of leader.open) bytes += batch.bytes;
  return bytes;
}
