import type { ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import type { Prepare, PrepareRefused } from '../messages.js';
import { protectedUntil, restartWaitEnds } from '../leadership/protection.js';
import { ownerOf } from '../ballot.js';
import type { Replica } from '../partition/replica.js';
import { turnOf, watchLeader, type WatchPort } from '../leadership/watch.js';
import { leaveOtherBallot, type AcceptorPort } from '../accept/acceptor.js';

export type PromisePort = AcceptorPort & WatchPort & Port<'rules' | 'outbox' | 'transactions'>;

/** 4.1.2: the acceptor's half of an election. */
export function onPrepare(
  context: PromisePort,
  replica: Replica,
  from: ShardOrdinal,
  message: Prepare,
): void {
  const { assignment, record } = replica;
  const { ballot } = message;
  if (assignment === null || ownerOf(ballot) !== from) return;
  if (!context.rules.votes(assignment, context.ordinal) || !context.rules.votes(assignment, from)) return;
  if (ballot === record.promised) {
    answerPromised(context, replica, message);
    return;
  }
  replica.noteSeen(ballot, context.now);
  if (ballot < record.promised) {
    refuse(context, replica, from, {
      ...message,
      kind: 'prepareRefused',
      promised: record.promised,
      retryInMs: 0,
    });
    return;
  }
  const freeAt = Math.max(restartWaitEnds(context), protectedUntil(context, replica, from));
  if (context.now < freeAt) {
    const retryInMs = freeAt - context.now;
    refuse(context, replica, from, {
      ...message,
      kind: 'prepareRefused',
      promised: record.promised,
      retryInMs,
    });
    return;
  }
  promise(context, replica, message);
}

function promise(context: PromisePort, replica: Replica, message: Prepare): void {
  const { ballot } = message;
  const { pace } = context;
  context.transactions.setRecord(replica, { ...replica.record, promised: ballot });
  leaveOtherBallot(context, replica, ballot);
  // The candidate has its chance before anyone else here stands.
  replica.leaderHeardAt = Number.NEGATIVE_INFINITY;
  replica.standNotBefore = context.now + pace.patienceMs + turnOf(context, replica) * pace.staggerMs;
  answerPromised(context, replica, message);
  watchLeader(context, replica);
}

function answerPromised(context: PromisePort, replica: Replica, message: Prepare): void {
  const { position, purgedTo } = replica.record;
  const { commit } = replica;
  const told = context.rules.positionToldWithPromise(position, replica.durable.position);
  context.transactions.whenDurable(replica, () => {
    context.outbox.send(ownerOf(message.ballot), {
      ...message,
      kind: 'promised',
      position: told,
      commit,
      purgedTo,
    });
  });
}

/** What is told of the own promise must be durable: it makes the candidate give up. */
function refuse(context: PromisePort, replica: Replica, from: ShardOrdinal, message: PrepareRefused): void {
  context.transactions.whenDurable(replica, () => {
    context.outbox.send(from, message);
  });
}
