import type { Revision, ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import { isUnderWay } from '../pair/backlog.js';
import type { Accepted, Gap, LeaseEcho, Promised, RepairOffer } from '../messages.js';
import type { Leader, PeerProgress } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';
import { hearPurgePoint, repeatPurgePoint, type PurgePointPort } from '../purge/purge-point.js';
import { tellNewcomer, type RecollectionPort } from '../partition/recollections.js';
import { streamTo, type BatchPort } from './batch-sender.js';
import { onMoreDurable } from './commit.js';
import { disown, type DisownPort } from './roll-call.js';

export type AcknowledgementPort = BatchPort &
  DisownPort &
  PurgePointPort &
  RecollectionPort &
  Port<'purges' | 'now' | 'ordinal' | 'timings' | 'rules' | 'outbox' | 'holdings' | 'wakeups' | 'flushes'>;

export function onAccepted(
  context: AcknowledgementPort,
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
  context: AcknowledgementPort,
  progress: PeerProgress,
  from: ShardOrdinal,
  echo: LeaseEcho,
): void {
  context.holdings.hear(from, echo, context.now);
  noteConfirmed(context, progress, from, echo);
}

/** For each partition of an answer whose lease was heard. */
export function noteConfirmed(
  { now, holdings }: Port<'now' | 'holdings'>,
  progress: PeerProgress,
  from: ShardOrdinal,
  echo: LeaseEcho,
): void {
  progress.heardAt = now;
  const { confirmedIn } = progress;
  const older =
    confirmedIn !== undefined &&
    (echo.incarnation < confirmedIn.incarnation ||
      (echo.incarnation === confirmedIn.incarnation && echo.span <= confirmedIn.span));
  const running = holdings.runningSpan(from, now);
  const runs = running?.incarnation === echo.incarnation && running.span === echo.span;
  // What runs now is true, whatever was believed before.
  if (!older || runs) progress.confirmedIn = { incarnation: echo.incarnation, span: echo.span };
}

/** The peer is durably at this ballot and revision; sends on what it does not have yet. */
export function noteAcknowledged(
  context: AcknowledgementPort,
  replica: Replica,
  leader: Leader,
  told: { peer: ShardOrdinal; revision: Revision },
): void {
  const progress = leader.progressOf(told.peer);
  const known = Math.min(told.revision, replica.record.position.revision);
  tellNewcomer(context, replica, leader, told.peer);
  if (known >= progress.acknowledged) progress.deniedSince = null;
  progress.acknowledged = Math.max(progress.acknowledged, known);
  if (progress.behind || progress.streamed < progress.acknowledged) {
    progress.behind = false;
    progress.streamed = progress.acknowledged;
    bringForward(context, replica, leader, told.peer);
  } else if (progress.streamed < replica.record.position.revision) {
    bringForward(context, replica, leader, told.peer);
  }
  onMoreDurable(context, replica, leader);
}

/** Streams on from what was last sent, or offers a repair. */
export function bringForward(
  context: AcknowledgementPort,
  replica: Replica,
  leader: Leader,
  peer: ShardOrdinal,
): void {
  if (!streamTo(context, replica, leader, peer)) offerRepair(context, replica, leader, peer);
}

export function onGap(
  context: AcknowledgementPort,
  replica: Replica,
  from: ShardOrdinal,
  message: Gap,
): void {
  const { leader } = replica;
  if (leader === null || leader.ballot !== message.ballot) return disown(context, replica, from, message);
  if (!replica.peers.includes(from)) return;
  const progress = leader.progressOf(from);
  const { position } = message;
  const stated = statedAt(leader, message);
  if (stated < progress.acknowledged && !goesOnDenying(context, progress)) return;
  progress.acknowledged = Math.min(progress.acknowledged, stated);
  if (position.ballot === leader.ballot) {
    const answersResend = wasSentSince(context, progress, from, position.revision);
    noteAcknowledged(context, replica, leader, { peer: from, revision: position.revision });
    if (answersResend || position.revision >= replica.record.position.revision) return;
    progress.streamed = position.revision;
    progress.askedAt = context.now;
    bringForward(context, replica, leader, from);
    return;
  }
  if (progress.behind && isRecent(context, progress)) return;
  offerRepair(context, replica, leader, from);
}

/** What the replica has at this ballot; -1 is nothing. */
function statedAt({ ballot }: Leader, { position }: Gap | Promised): Revision {
  return position.ballot === ballot ? position.revision : -1;
}

/** 4.12.6: a replica says unasked what it has. */
export function onStated(
  context: AcknowledgementPort,
  replica: Replica,
  from: ShardOrdinal,
  message: Promised,
): void {
  const { leader } = replica;
  hearPurgePoint(context, replica, from, message);
  if (leader === null || leader.ballot !== message.ballot) return disown(context, replica, from, message);
  if (!replica.peers.includes(from)) return;
  context.pointsTold.again(from, replica.partition);
  repeatPurgePoint(context, replica, from, message);
  const progress = leader.progressOf(from);
  const stated = statedAt(leader, message);
  if (stated > progress.acknowledged) {
    noteAcknowledged(context, replica, leader, { peer: from, revision: stated });
  } else if (stated === progress.acknowledged) {
    progress.deniedSince = null;
    tellNewcomer(context, replica, leader, from);
  } else if (goesOnDenying(context, progress)) {
    progress.acknowledged = stated;
    progress.streamed = stated;
    bringForward(context, replica, leader, from);
  }
}

/** What it acknowledged it may never have said. Late answers say less too, but not for so long. */
function goesOnDenying({ now, timings, rules }: AcknowledgementPort, progress: PeerProgress): boolean {
  progress.deniedSince ??= now;
  return rules.believesDenial(now - progress.deniedSince, timings.leaseMs);
}

/**
 * Several batches after a lost one are all refused: only the first refusal sends them again. And what is still on its way
 * may have been overtaken by what was refused.
 */
function wasSentSince(
  context: AcknowledgementPort,
  progress: PeerProgress,
  from: ShardOrdinal,
  revision: Revision,
): boolean {
  if (isUnderWay(context, from, progress.askedAt)) return true;
  return progress.acknowledged === revision && isRecent(context, progress);
}

function isRecent(context: AcknowledgementPort, progress: PeerProgress): boolean {
  return context.now - progress.askedAt < context.timings.resendIntervalMs / 2;
}

export function offerRepair(
  context: AcknowledgementPort,
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
