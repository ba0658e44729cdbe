import type { Port } from '../parts.js';
import { abandon, type Waiter } from '../partition/waiters.js';
import type { KeyRequest, Leader } from '../partition/leader.js';
import { FOLLOWER, type Replica } from '../partition/replica.js';
import type { PaxosEvent } from '../ready.js';
import type { ReadRequest, ScanRequest, ShardReply, WriteRequest } from '../requests.js';

export type StepDownPort = Port<
  | 'now'
  | 'timings'
  | 'rules'
  | 'outbox'
  | 'wakeups'
  | 'pace'
  | 'backOff'
  | 'releases'
  | 'pointsTold'
  | 'led'
  | 'flushes'
  | 'cache'
  | 'admission'
>;

export type StepDownReason = Extract<PaxosEvent, { kind: 'steppedDown' }>['reason'];

/** A leadership or candidacy ends; the ballot never serves again (docs/PROTOCOL.md 4.1.8). */
export function stepDown(context: StepDownPort, replica: Replica, reason: StepDownReason): void {
  const { role } = replica;
  if (role.kind === 'follower') return;
  replica.role = FOLLOWER;
  if (role.kind === 'candidate') {
    replica.catchUp = null;
    return;
  }
  endLeadership(context, replica, role, reason);
}

/** Ends a candidacy; the next begins, at a higher round, after a wait that differs from the others'. */
export function giveUp(context: StepDownPort, replica: Replica): void {
  replica.role = FOLLOWER;
  replica.catchUp = null;
  const pause = context.backOff.pauseAfterFailure(replica, context.timings.electionStaggerMs);
  replica.standNotBefore = context.now + context.pace.extraRoundMs + pause;
  context.wakeups.at(replica, replica.standNotBefore);
}

function endLeadership(
  context: StepDownPort,
  replica: Replica,
  leader: Leader,
  reason: StepDownReason,
): void {
  const { ballot } = leader;
  const { partition } = replica;
  context.led.delete(replica);
  context.flushes.delete(replica);
  if (!context.rules.freshAfterStepDown()) context.pointsTold.withdraw(partition);
  context.cache.dropAll(leader);
  // What was decided on and never sent is no part of the history.
  if (!context.rules.keepsUnsent()) replica.keyed.dropPast(replica.record.position.revision);
  context.outbox.event({ kind: 'steppedDown', partition, ballot, reason });
  announceRelease(context, replica, leader);
  answerAll(context, replica, leader);
  replica.standNotBefore = Math.max(replica.standNotBefore, context.now + context.pace.staggerMs);
  replica.leaderHeardAt = Number.NEGATIVE_INFINITY;
  context.wakeups.at(replica, replica.standNotBefore);
}

/** 4.4.7. */
export function announceRelease(context: StepDownPort, replica: Replica, leader: Leader): void {
  const of = { partition: replica.partition, epoch: leader.epoch, ballot: leader.ballot };
  replica.released = leader.ballot;
  const message = context.releases.add(of, replica.peers);
  for (const peer of replica.peers) context.outbox.send(peer, message);
}

function answerAll(context: StepDownPort, replica: Replica, leader: Leader): void {
  const waiters = [
    ...leader.waiters.takeAll(),
    ...leader.barrierWaiters.splice(0),
    ...leader.confirms.takeAll(),
  ];
  for (const waiter of waiters) abandon(context.admission, waiter, lastAnswer(replica, waiter));
  const undecided = [...leader.reading.values()].flat();
  for (const { request } of leader.awaitingRoom.splice(0)) undecided.push(request);
  leader.reading.clear();
  for (const request of undecided) abandonRequest(context, replica, request);
}

/** This leadership will not decide it; nothing was done. */
export function abandonRequest(context: StepDownPort, replica: Replica, request: KeyRequest): void {
  if (request.kind === 'expiry') request.abandoned();
  else context.admission.answer(request, notLeader(replica, request));
}

/** Whether a write in flight will be cannot be known any more; what was only read or refused did nothing. */
function lastAnswer(replica: Replica, { request, reply }: Waiter): ShardReply {
  return reply.kind === 'written'
    ? { kind: 'outcomeUnknown', token: request.token }
    : notLeader(replica, request);
}

export function notLeader(replica: Replica, request: WriteRequest | ReadRequest | ScanRequest): ShardReply {
  const { token } = request;
  if (request.kind === 'scan') {
    return { kind: 'rows', token, rows: [], more: false, notLed: [replica.partition] };
  }
  const leader = replica.leaderHint;
  const ballot = leader === 0 ? 0 : replica.record.promised;
  return { kind: 'notLeader', token, ballot, leader, epoch: replica.record.epoch };
}
