import type { Revision, ShardOrdinal } from '@ringleader/primitives';
import type { ShardContext } from '../context.js';
import type { Accepted, Gap, LeaseEcho, RepairOffer } from '../messages.js';
import { finishHandover } from '../leases/handover.js';
import { answerAsLeader } from '../leases/leadership-proof.js';
import type { Leader, PeerProgress } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import { streamTo } from './batch-sender.js';
import { settle } from './commit-waiters.js';

export function onAccepted(
  context: ShardContext,
  replica: Replica,
  from: ShardOrdinal,
  message: Accepted,
): void {
  const { leader } = replica;
  if (leader === null || leader.ballot !== message.ballot || !replica.peers.includes(from)) return;
  const progress = leader.progressOf(from);
  hearLease(context, progress, from, message.lease);
  noteAcknowledged(context, replica, leader, { peer: from, revision: message.revision });
}

/** 4.4.2: this ballot was acknowledged within that grant. */
export function hearLease(
  context: ShardContext,
  progress: PeerProgress,
  from: ShardOrdinal,
  echo: LeaseEcho,
): void {
  context.holdings.hear(from, echo, context.now);
  progress.heardAt = context.now;
  const { confirmedIn } = progress;
  const older =
    confirmedIn !== undefined &&
    (echo.incarnation < confirmedIn.incarnation ||
      (echo.incarnation === confirmedIn.incarnation && echo.span <= confirmedIn.span));
  if (!older) progress.confirmedIn = { incarnation: echo.incarnation, span: echo.span };
}

/** The peer is durably at this ballot and revision; sends on what it does not have yet. */
export function noteAcknowledged(
  context: ShardContext,
  replica: Replica,
  leader: Leader,
  told: { peer: ShardOrdinal; revision: Revision },
): void {
  const progress = leader.progressOf(told.peer);
  const known = Math.min(told.revision, replica.record.position.revision);
  progress.acknowledged = Math.max(progress.acknowledged, known);
  if (progress.behind || progress.streamed < progress.acknowledged) {
    progress.behind = false;
    progress.streamed = progress.acknowledged;
    bringForward(context, replica, leader, told.peer);
  }
  advanceCommit(context, replica, leader);
}

/** Streams on from what was last sent, or offers a repair. */
export function bringForward(
  context: ShardContext,
  replica: Replica,
  leader: Leader,
  peer: ShardOrdinal,
): void {
  if (!streamTo(context, replica, leader, peer)) offerRepair(context, replica, leader, peer);
}

export function onGap(context: ShardContext, replica: Replica, from: ShardOrdinal, message: Gap): void {
  const { leader } = replica;
  if (leader === null || leader.ballot !== message.ballot || !replica.peers.includes(from)) return;
  const progress = leader.progressOf(from);
  const { position } = message;
  if (position.ballot === leader.ballot) {
    if (position.revision < progress.acknowledged) return;
    // Several batches after a lost one are all refused: only the first refusal sends them again.
    const answersResend = progress.acknowledged === position.revision && isRecent(context, progress);
    noteAcknowledged(context, replica, leader, { peer: from, revision: position.revision });
    if (answersResend) return;
    progress.streamed = position.revision;
    progress.askedAt = context.now;
    bringForward(context, replica, leader, from);
    return;
  }
  if (progress.acknowledged >= 0) return;
  if (progress.behind && isRecent(context, progress)) return;
  offerRepair(context, replica, leader, from);
}

function isRecent(context: ShardContext, progress: PeerProgress): boolean {
  return context.now - progress.askedAt < context.timings.resendIntervalMs / 2;
}

export function offerRepair(
  context: ShardContext,
  replica: Replica,
  leader: Leader,
  peer: ShardOrdinal,
): void {
  const progress = leader.progressOf(peer);
  progress.behind = true;
  progress.askedAt = context.now;
  const message: RepairOffer = {
    kind: 'repairOffer',
    partition: replica.partition,
    epoch: replica.record.epoch,
    ballot: leader.ballot,
    commit: replica.commit,
    purgedTo: replica.record.purgedTo,
  };
  context.outbox.send(peer, message);
  context.wakeups.at(replica, context.now + context.timings.resendIntervalMs);
}

/** 4.2.4: what a quorum has at this ballot, and the leader's own rows too, is committed; then it is answered. */
export function advanceCommit(context: ShardContext, replica: Replica, leader: Leader): void {
  const { assignment } = replica;
  if (assignment === null || replica.role !== leader) return;
  const acknowledged = context.rules.committedRevision(assignment, (ordinal) =>
    ordinal === context.ordinal ? leader.durableRevision : (leader.progress.get(ordinal)?.acknowledged ?? -1),
  );
  const sent = replica.record.position.revision;
  const revision = Math.min(acknowledged, context.rules.ownLimit(leader.durableRevision, sent), sent);
  if (revision < leader.adopted.revision) return;
  const barrierNow = !leader.barrierCommitted;
  if (!barrierNow && revision <= replica.commit) return;
  replica.commit = Math.max(replica.commit, revision);
  leader.barrierCommitted = true;
  if (barrierNow) {
    const { epoch, ballot } = leader;
    context.outbox.event({ kind: 'leading', partition: replica.partition, epoch, ballot });
    for (const waiter of leader.barrierWaiters.splice(0)) leader.waiters.add(waiter);
  }
  settleCommitted(context, replica, leader);
}

function settleCommitted(context: ShardContext, replica: Replica, leader: Leader): void {
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
  finishHandover(context, replica, leader);
}

function bytesInFlight(replica: Replica, leader: Leader): number {
  let bytes = leader.retained.bytesPast(replica.commit);
  for (const batch of leader.open) bytes += batch.bytes;
  return bytes;
}
