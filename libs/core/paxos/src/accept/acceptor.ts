import type { Ballot, Revision, ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import { NO_STAMP, type Accept, type CommitPoint, type LeaseEcho } from '../messages.js';
import { acknowledge, type ProtectionPort } from '../leadership/protection.js';
import { ownerOf } from '../partition/ballot.js';
import type { Replica } from '../partition/replica.js';
import { keepWatching, type WatchPort } from '../leadership/watch.js';
import { stepDown, type StepDownPort } from '../leadership/step-down.js';

export type AcceptorPort = ProtectionPort &
  StepDownPort &
  WatchPort &
  Port<
    'now' | 'ordinal' | 'incarnation' | 'timings' | 'rules' | 'stamp' | 'outbox' | 'transactions' | 'grants'
  >;

/** A message of a leader for a partition that this shard is a member of. */
export interface LeaderMessage {
  readonly partition: number;
  readonly epoch: number;
  readonly ballot: Ballot;
}

/** Is this a leader which the replica may follow? If not, and if it matters, tells it so. */
export function followsLeader(
  context: AcceptorPort,
  replica: Replica,
  from: ShardOrdinal,
  message: LeaderMessage,
): boolean {
  const { ballot } = message;
  if (!replica.isMember || ownerOf(ballot) !== from || from === context.ordinal) return false;
  const { promised } = replica.record;
  if (context.rules.mayAccept(ballot, promised)) return true;
  const { partition, epoch } = message;
  context.transactions.whenDurable(replica, () => {
    context.outbox.send(from, { kind: 'superseded', partition, epoch, ballot, promised });
  });
  return false;
}

/** The leader of the promised ballot was heard: nobody here stands for a while. */
export function hearLeader(context: AcceptorPort, replica: Replica, ballot: Ballot): void {
  if (ballot === replica.record.promised) replica.leaderHeardAt = context.now;
}

/** 4.2.2. */
export function onAccept(context: AcceptorPort, replica: Replica, from: ShardOrdinal, message: Accept): void {
  if (!followsLeader(context, replica, from, message)) return;
  context.grants.renew(from, context.now);
  const { ballot, next } = message;
  const { position } = replica.record;
  replica.heardCommit = Math.max(replica.heardCommit, message.commit);
  const echo = context.grants.echo(from, message.lease.sentAt);
  if (position.ballot === ballot && position.revision >= next.revision) {
    hearLeader(context, replica, ballot);
    learnCommit(context, replica, message);
    acknowledgeTo(context, replica, ballot, echo);
    return;
  }
  if (!context.rules.batchFits(message.previous, position)) {
    hearLeader(context, replica, ballot);
    answerGap(context, replica, from, message);
    return;
  }
  applyBatch(context, replica, message);
  acknowledgeTo(context, replica, ballot, echo);
}

function applyBatch(context: AcceptorPort, replica: Replica, message: Accept): void {
  const { ballot, next, rows } = message;
  const { transactions } = context;
  const { record } = replica;
  leaveOtherBallot(context, replica, ballot);
  replica.advanceCommit(message.commit, next.revision);
  transactions.setRecord(replica, {
    ...replica.record,
    promised: Math.max(ballot, record.promised),
    position: next,
    commitBound: replica.commit,
  });
  replica.keyed.begin(context.stamp());
  for (const row of rows) {
    transactions.upsert(replica, record.generation, row);
    replica.recent.add(row);
    replica.keyed.addAll(row);
  }
  replica.recent.trim();
  if (replica.catchUp !== null && replica.catchUp.ballot <= ballot) replica.catchUp = null;
  hearLeader(context, replica, ballot);
  keepWatching(context, replica);
}

/** 4.1.2: a candidate or leader of another ballot steps down in the same step. */
export function leaveOtherBallot(context: AcceptorPort, replica: Replica, ballot: Ballot): void {
  const { role } = replica;
  const stays =
    role.kind === 'candidate'
      ? context.rules.candidacyStands(role.ballot, ballot)
      : role.kind === 'leader' && role.ballot === ballot;
  if (!stays) stepDown(context, replica, 'superseded');
}

/** Tells the leader what is durable here at its ballot, when it is. */
export function acknowledgeTo(
  context: AcceptorPort,
  replica: Replica,
  ballot: Ballot,
  lease: LeaseEcho,
): void {
  acknowledge(context, replica, ballot);
  const { partition } = replica;
  const { epoch, position } = replica.record;
  const { revision } = position;
  context.transactions.whenDurable(replica, () => {
    // In the same transaction the rows may have gone again: a new epoch without this replica, another history.
    const { position: durable } = replica.durable;
    if (durable.ballot !== ballot || durable.revision < revision) return;
    context.outbox.send(ownerOf(ballot), { kind: 'accepted', partition, epoch, ballot, revision, lease });
  });
}

/** The echo of an acknowledgement that answers nothing with a stamp: names the grant and prolongs nothing. */
export function unstampedEcho(context: AcceptorPort, leader: ShardOrdinal): LeaseEcho {
  return context.grants.echo(leader, NO_STAMP);
}

export function answerGap(
  context: AcceptorPort,
  replica: Replica,
  to: ShardOrdinal,
  message: LeaderMessage,
): void {
  const { partition, epoch, ballot } = message;
  context.transactions.whenDurable(replica, () => {
    // Of what was gathered until now some may have gone again before it became durable, as with an acknowledgement.
    if (replica.record.epoch !== epoch) return;
    const { position, purgedTo } = replica.durable;
    const commit = replica.commitOfDurableRows;
    context.outbox.send(to, { kind: 'gap', partition, epoch, ballot, position, commit, purgedTo });
  });
}

/** 4.2.5: a commit point is about the history of its ballot; another history may differ there. */
export function learnCommit(
  context: AcceptorPort,
  replica: Replica,
  told: { ballot: Ballot; commit: Revision },
): boolean {
  const { position } = replica.record;
  if (!context.rules.takesCommit(position.ballot, told.ballot)) return false;
  replica.advanceCommit(told.commit);
  return true;
}

export function onCommitPoint(
  context: AcceptorPort,
  replica: Replica,
  from: ShardOrdinal,
  message: CommitPoint,
): void {
  if (!followsLeader(context, replica, from, message)) return;
  const { ballot, commit } = message;
  replica.heardCommit = Math.max(replica.heardCommit, commit);
  hearLeader(context, replica, ballot);
  if (!learnCommit(context, replica, message)) {
    if (replica.catchUp === null) answerGap(context, replica, from, message);
    return;
  }
  learnFreshness(context, replica, message);
  if (replica.record.position.revision < commit && replica.catchUp === null) {
    answerGap(context, replica, from, message);
  }
}

/** 4.5.3: good for a commit point that this replica has reached, on its own clock, in its own incarnation. */
function learnFreshness(context: AcceptorPort, replica: Replica, message: CommitPoint): void {
  const { echo, echoIncarnation, fresh, commit } = message;
  if (!fresh || echo === null || echoIncarnation !== context.incarnation || replica.commit < commit) return;
  if (replica.fresh === null || echo > replica.fresh.at) replica.fresh = { at: echo, commit };
}
