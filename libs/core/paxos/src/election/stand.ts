import type { ShardContext } from '../context.js';
import type { Prepare } from '../messages.js';
import { protectedUntil, restartWaitEnds } from '../leases/protection.js';
import { makeBallot, roundOf } from '../partition/ballot.js';
import { Candidate } from '../partition/candidate.js';
import { FOLLOWER, type Replica } from '../partition/replica.js';
import { adoptWithQuorum } from './adopt.js';
import { stepDown } from './step-down.js';

/** 4.1.1: promises itself, durably and under the same rules as anyone, then asks the others. */
export function stand(context: ShardContext, replica: Replica): void {
  const { assignment, record } = replica;
  if (assignment === null || context.retired || !context.rules.votes(assignment, context.ordinal)) return;
  const freeAt = Math.max(restartWaitEnds(context), protectedUntil(context, replica, context.ordinal));
  if (context.now < freeAt) {
    context.wakeups.at(replica, freeAt);
    return;
  }
  stepDown(context, replica, 'superseded');
  const round = roundOf(Math.max(record.promised, replica.highestSeen)) + 1;
  const ballot = makeBallot(round, context.ordinal);
  const candidate = new Candidate(ballot, context.now);
  replica.role = candidate;
  replica.catchUp = null;
  context.transactions.setRecord(replica, { ...replica.record, promised: ballot });
  context.outbox.event({ kind: 'candidacy', partition: replica.partition, ballot });
  if (context.rules.prepareMayLeave(false)) sendPrepares(context, replica, candidate);
  context.transactions.whenDurable(replica, () => {
    ownPromiseDurable(context, replica, candidate);
  });
  context.wakeups.at(replica, context.now + context.timings.candidacyTimeoutMs);
}

function ownPromiseDurable(context: ShardContext, replica: Replica, candidate: Candidate): void {
  if (replica.role !== candidate) return;
  const { position, purgedTo } = replica.record;
  candidate.answers.set(context.ordinal, { position, commit: replica.commit, purgedTo });
  candidate.preparedAt = context.now;
  if (context.rules.prepareMayLeave(true)) sendPrepares(context, replica, candidate);
  context.wakeups.at(replica, context.now + context.timings.resendIntervalMs);
  adoptWithQuorum(context, replica, candidate);
}

function sendPrepares(context: ShardContext, replica: Replica, candidate: Candidate): void {
  const { partition, voters } = replica;
  const { epoch } = replica.record;
  const message: Prepare = { kind: 'prepare', partition, epoch, ballot: candidate.ballot };
  for (const voter of voters) {
    if (voter !== context.ordinal && !candidate.answers.has(voter)) context.outbox.send(voter, message);
  }
}

/** The partition woke while it stands: asks again, or gives this ballot up. */
export function candidacyDue(context: ShardContext, replica: Replica, candidate: Candidate): void {
  const { candidacyTimeoutMs, resendIntervalMs } = context.timings;
  const idleSince = candidate.adopting
    ? (replica.catchUp?.progressedAt ?? candidate.startedAt)
    : candidate.startedAt;
  if (context.now >= idleSince + candidacyTimeoutMs) {
    giveUp(context, replica);
    return;
  }
  const asked = candidate.answers.has(context.ordinal);
  if (asked && !candidate.adopting && context.now >= candidate.preparedAt + resendIntervalMs) {
    candidate.preparedAt = context.now;
    sendPrepares(context, replica, candidate);
  }
  context.wakeups.at(replica, Math.min(context.now + resendIntervalMs, idleSince + candidacyTimeoutMs));
}

/** Ends a candidacy; the next begins, at a higher round, after a wait that differs from the others'. */
export function giveUp(context: ShardContext, replica: Replica): void {
  replica.role = FOLLOWER;
  replica.catchUp = null;
  const { electionStaggerMs } = context.timings;
  const pause = electionStaggerMs * (0.5 + 2 * context.prng.nextFloat());
  replica.standNotBefore = context.now + pause;
  context.wakeups.at(replica, replica.standNotBefore);
}
