import type { Port } from '../parts.js';
import { settle, type Waiter } from '../partition/waiters.js';
import type { Confirm } from '../messages.js';
import type { Leader } from '../partition/leader.js';
import type { Replica } from '../partition/replica.js';

export type LeasePort = Port<
  'now' | 'ordinal' | 'timings' | 'rules' | 'outbox' | 'holdings' | 'wakeups' | 'flushes' | 'admission'
>;

/** 4.4.5: computed when asked, by the clock, never kept. */
export function hasLease(context: LeasePort, replica: Replica, leader: Leader): boolean {
  return context.rules.hasLease(() => computeLease(context, replica, leader), leader.leasedWhenSeen);
}

/** What `hasLease` is for everyone but a control. */
export function computeLease(context: LeasePort, replica: Replica, leader: Leader): boolean {
  const { assignment } = replica;
  if (assignment === null) return false;
  return context.rules.leaseQuorum(assignment, (ordinal) => {
    if (ordinal === context.ordinal) return true;
    const held = context.holdings.runningSpan(ordinal, context.now);
    if (held === undefined) return false;
    return context.rules.coversPartition(leader.progress.get(ordinal)?.confirmedIn, held);
  });
}

/** The row is committed: answers if the leadership is proven now, else after a round of Confirm (4.5.1). */
export function answerAsLeader(context: LeasePort, replica: Replica, leader: Leader, waiter: Waiter): void {
  const failure = waiter.reply.kind === 'conditionFailed' || waiter.reply.kind === 'absent';
  const proven = failure && !context.rules.failureAwaitsLease();
  if (proven || hasLease(context, replica, leader)) {
    settle(context.admission, waiter);
    return;
  }
  leader.confirms.add(waiter);
  context.flushes.add(replica);
}

/** Before each `Ready`: what arrived since the last round shares the next one. */
export function startConfirmRound(context: LeasePort, replica: Replica, leader: Leader): void {
  if (!leader.confirms.mayStart) return;
  const round = leader.confirms.start(context.now);
  sendConfirms(context, replica, leader, round.number);
  if (roundIsConfirmed(context, replica, leader)) finishRound(context, replica, leader);
  context.wakeups.at(replica, context.now + context.timings.resendIntervalMs);
}

/** A Confirm that is repeated was sent after the requests too. */
export function repeatConfirmRound(context: LeasePort, replica: Replica, leader: Leader): boolean {
  const { current } = leader.confirms;
  if (current === null) return false;
  if (context.now >= current.sentAt + context.timings.resendIntervalMs) {
    current.sentAt = context.now;
    sendConfirms(context, replica, leader, current.number);
  }
  return true;
}

function sendConfirms(context: LeasePort, replica: Replica, leader: Leader, round: number): void {
  const message = confirmOf(context, replica, leader, round);
  for (const voter of replica.voters) {
    if (voter !== context.ordinal) context.outbox.send(voter, message);
  }
}

export function confirmOf(context: LeasePort, replica: Replica, leader: Leader, round: number): Confirm {
  const { partition } = replica;
  const { epoch } = replica.record;
  return {
    kind: 'confirm',
    partition,
    epoch,
    ballot: leader.ballot,
    round,
    lease: { sentAt: context.now },
  };
}

export function roundIsConfirmed(context: LeasePort, replica: Replica, leader: Leader): boolean {
  const { assignment } = replica;
  const { current } = leader.confirms;
  if (assignment === null || current === null) return false;
  return context.rules.leaseQuorum(
    assignment,
    (ordinal) => ordinal === context.ordinal || current.confirmedBy.has(ordinal),
  );
}

export function finishRound(context: LeasePort, replica: Replica, leader: Leader): void {
  for (const waiter of leader.confirms.finish()) settle(context.admission, waiter);
  if (leader.confirms.mayStart) context.flushes.add(replica);
}
