import type { Ballot, Epoch, Revision, ShardOrdinal } from '@ringleader/primitives';
import type { Port } from '../parts.js';
import { NO_STAMP, type Accept, type LeaseEcho } from '../messages.js';
import { acknowledge, type ProtectionPort } from '../leadership/protection.js';
import { ownerOf } from '../ballot.js';
import type { Replica } from '../partition/replica.js';
import { keepWatching, type WatchPort } from '../leadership/watch.js';
import { stepDown, type StepDownPort } from '../leadership/step-down.js';

export type AcceptorPort = ProtectionPort &
  StepDownPort &
  WatchPort &
  Port<
    | 'now'
    | 'ordinal'
    | 'timings'
    | 'rules'
    | 'stamp'
    | 'outbox'
    | 'transactions'
    | 'grants'
    | 'pointsHeard'
    | 'copyPace'
  >;

/** A message of a leader for a partition that this shard is a member of. */
export interface LeaderMessage {
  readonly partition: number;
  readonly epoch: number;
  readonly ballot: Ballot;
}

/** 4.0: refused in both directions; a higher epoch makes this shard look at the map, never take it from a peer. */
export function isOfThisEpoch(
  context: Port<'rules' | 'outbox'>,
  replica: Replica,
  message: { readonly epoch: Epoch },
): boolean {
  const { epoch } = replica.record;
  if (message.epoch > Math.max(epoch, replica.epochSeen)) {
    replica.epochSeen = message.epoch;
    context.outbox.event({ kind: 'mapBehind', partition: replica.partition, seenEpoch: message.epoch });
  }
  return replica.assignment !== null && context.rules.sameEpoch(epoch, message.epoch);
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

/** 4.2.2. True where the batch is, or will be with what is gathered, in this replica's rows. */
export function takeBatch(
  context: AcceptorPort,
  replica: Replica,
  from: ShardOrdinal,
  message: Accept,
): boolean {
  if (!followsLeader(context, replica, from, message)) return false;
  const { ballot, next } = message;
  const { position } = replica.record;
  replica.heardCommit = Math.max(replica.heardCommit, message.commit);
  if (position.ballot === ballot && position.revision >= next.revision) {
    hearLeader(context, replica, ballot);
    learnCommit(context, replica, message);
  } else if (context.rules.batchFits(message.previous, position)) {
    applyBatch(context, replica, message);
  } else {
    hearLeader(context, replica, ballot);
    answerGap(context, replica, from, message);
    return false;
  }
  acknowledge(context, replica, ballot);
  return true;
}

function applyBatch(context: AcceptorPort, replica: Replica, message: Accept): void {
  const { ballot, next, rows } = message;
  const { transactions } = context;
  const { record } = replica;
  leaveOtherBallot(context, replica, ballot);
  replica.advanceCommit(Math.max(message.commit, commitHeard(context, replica, message)), next.revision);
  dropStaging(context, replica);
  transactions.setRecord(replica, {
    ...replica.record,
    promised: Math.max(ballot, record.promised),
    position: next,
    commitBound: replica.commit,
  });
  replica.keyed.begin(context.stamp(), message.previous.revision);
  for (const row of rows) {
    transactions.upsert(replica, record.generation, row);
    replica.recent.add(row);
    replica.keyed.addAll(row, message.previous.revision);
  }
  replica.recent.trim();
  if (replica.catchUp !== null && replica.catchUp.ballot <= ballot) replica.catchUp = null;
  hearLeader(context, replica, ballot);
  keepWatching(context, replica);
}

/** The rows follow on those of the leader: a copy of them, begun by whomever, is of no use and would never end. */
export function dropStaging(context: Port<'outbox' | 'transactions' | 'rules'>, replica: Replica): void {
  const { record } = replica;
  if (record.staging === null || !context.rules.dropsIdleCopy()) return;
  context.transactions.setRecord(replica, { ...record, staging: null });
  dropUnusedGenerations(context, replica, [record.staging.generation]);
}

/** Generations that the record names no more are deleted once that is durable. */
export function dropUnusedGenerations(
  context: Port<'outbox' | 'transactions'>,
  replica: Replica,
  generations: readonly (number | undefined)[],
): void {
  const { generation, staging } = replica.record;
  const unused = generations.filter(
    (old): old is number => old !== undefined && old !== generation && old !== staging?.generation,
  );
  if (unused.length === 0) return;
  context.transactions.whenDurable(replica, () => {
    for (const old of unused) {
      context.outbox.removeGeneration(replica.partition, old);
      replica.forgetKeys(old);
    }
  });
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
    if (!context.rules.mayAcknowledge(replica.durable.position, ballot, revision)) return;
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

/** What the leader of this ballot has told of the partition so far, which may have come before the rows; 0 is nothing. */
export function commitHeard(
  context: AcceptorPort,
  replica: Replica,
  { ballot }: { ballot: Ballot },
): Revision {
  const point = context.pointsHeard.pointOf(ownerOf(ballot), replica.partition);
  if (point === undefined || !context.rules.takesCommit(ballot, point.ballot)) return 0;
  return context.rules.sameEpoch(replica.record.epoch, point.epoch) ? point.commit : 0;
}
