import type { Port } from '../parts.js';
import type { Prepare } from '../messages.js';
import { protectedUntil, restartWaitEnds, type ProtectionPort } from '../leadership/protection.js';
import { makeBallot, roundOf } from '../ballot.js';
import { Candidate } from '../partition/candidate.js';
import type { Replica } from '../partition/replica.js';
import { adoptWithQuorum, type AdoptPort } from './adopt.js';
import { giveUp, stepDown, type StepDownPort } from '../leadership/step-down.js';
import { mayEverStand, standingTime, type WatchPort } from '../leadership/watch.js';

export type StandPort = ProtectionPort &
  AdoptPort &
  StepDownPort &
  WatchPort &
  Port<
    | 'now'
    | 'retired'
    | 'ordinal'
    | 'timings'
    | 'rules'
    | 'outbox'
    | 'transactions'
    | 'wakeups'
    | 'peers'
    | 'pace'
    | 'backOff'
  >;

/** How often a candidacy that follows on failed ones doubles its time. */
const DOUBLINGS_MAX = 2;

/** 4.1.1: promises itself, durably and under the same rules as anyone, then asks the others. */
export function stand(context: StandPort, replica: Replica): void {
  const { assignment, record } = replica;
  if (assignment === null || context.retired || !context.rules.votes(assignment, context.ordinal)) return;
  const freeAt = Math.max(restartWaitEnds(context), protectedUntil(context, replica, context.ordinal));
  if (context.now < freeAt) {
    context.wakeups.at(replica, freeAt);
    return;
  }
  stepDown(context, replica, 'superseded');
  const round = roundOf(Math.max(record.promised, replica.highestSeen(context.now))) + 1;
  const ballot = makeBallot(round, context.ordinal);
  const candidate = new Candidate(ballot);
  replica.role = candidate;
  replica.catchUp = null;
  context.transactions.setRecord(replica, { ...replica.record, promised: ballot });
  context.outbox.event({ kind: 'candidacy', partition: replica.partition, ballot });
  if (context.rules.ownPromiseStands(false)) askOthers(context, replica, candidate);
  else {
    context.transactions.whenDurable(replica, () => {
      askOthers(context, replica, candidate);
    });
  }
  context.wakeups.at(replica, context.now + context.timings.candidacyTimeoutMs);
}

function askOthers(context: StandPort, replica: Replica, candidate: Candidate): void {
  if (replica.role !== candidate) return;
  const { position, purgedTo } = replica.record;
  candidate.answers.set(context.ordinal, { position, commit: replica.commit, purgedTo });
  candidate.askedSince = context.now;
  candidate.askAgainAt = context.now + context.timings.resendIntervalMs;
  sendPrepares(context, replica, candidate);
  context.wakeups.at(replica, candidate.askAgainAt);
  adoptWithQuorum(context, replica, candidate);
}

function sendPrepares(context: StandPort, replica: Replica, candidate: Candidate): void {
  const { partition, voters } = replica;
  const { epoch } = replica.record;
  const message: Prepare = { kind: 'prepare', partition, epoch, ballot: candidate.ballot };
  for (const voter of voters) {
    if (voter !== context.ordinal && !candidate.answers.has(voter)) context.outbox.send(voter, message);
  }
}

/** The partition woke while it stands: asks again, or gives this ballot up. */
export function candidacyDue(context: StandPort, replica: Replica, candidate: Candidate): void {
  const { candidacyTimeoutMs, resendIntervalMs } = context.timings;
  const { now } = context;
  if (!candidate.answers.has(context.ordinal)) {
    // Others have not been asked yet: giving up would only add to what the storage has to do.
    context.wakeups.at(replica, now + candidacyTimeoutMs);
    return;
  }
  const endsAt = candidacyEnds(context, replica, candidate);
  if (now >= endsAt) {
    giveUp(context, replica);
    return;
  }
  if (!candidate.adopting && now >= candidate.askAgainAt) {
    candidate.askAgainAt = now + resendIntervalMs;
    sendPrepares(context, replica, candidate);
  }
  const next = candidate.adopting ? now + resendIntervalMs : candidate.askAgainAt;
  context.wakeups.at(replica, Math.min(next, endsAt));
}

function candidacyEnds(context: StandPort, replica: Replica, candidate: Candidate): number {
  const { pace, backOff } = context;
  // The next candidacy would begin with the same list. Whoever has promised may stand meanwhile, and ends this one.
  if (replica.catchUp?.isListing === true) return Number.POSITIVE_INFINITY;
  const askedSince = candidate.adopting
    ? Math.max(candidate.askedSince, replica.catchUp?.progressedAt ?? candidate.askedSince)
    : candidate.askedSince;
  const doublings = Math.min(backOff.failuresOf(replica), DOUBLINGS_MAX);
  return Math.max(askedSince + pace.patienceMs * 2 ** doublings, pace.graceUntil);
}

/** The partition's time has come: stands, or looks again later. */
export function electionDue(context: StandPort, replica: Replica): void {
  if (!mayEverStand(context, replica)) return;
  const at = standingTime(context, replica);
  if (at > context.now) {
    context.wakeups.at(replica, at);
  } else if (quorumIsAlive(context, replica)) {
    stand(context, replica);
  } else {
    context.wakeups.at(replica, context.now + context.timings.heartbeatIntervalMs);
  }
}

/** Standing without a quorum in reach would only raise ballots, and depose a good leader when the network heals. */
function quorumIsAlive(context: StandPort, replica: Replica): boolean {
  const { assignment } = replica;
  if (assignment === null) return false;
  return context.rules.electionQuorum(
    assignment,
    (ordinal) => ordinal === context.ordinal || context.peers.isAlive(ordinal, context.now),
  );
}
