import type { ShardOrdinal } from '@ringleader/primitives';
import type { Confirm, Confirmed } from '../messages.js';
import { hearLease, type AcknowledgementPort } from './acknowledgements.js';
import { answerGap, followsLeader, hearLeader, type AcceptorPort } from './acceptor.js';
import { keepWatching } from '../leadership/watch.js';
import type { Replica } from '../partition/replica.js';
import { finishRound, roundIsConfirmed } from '../leadership/lease.js';
import { acknowledge } from '../leadership/protection.js';

/** 4.4.2: "my promise is this ballot and it is not released". From then on the grant protects it (4.4.3). */
export function onConfirm(
  context: AcceptorPort,
  replica: Replica,
  from: ShardOrdinal,
  message: Confirm,
): void {
  if (!followsLeader(context, replica, from, message)) return;
  context.grants.renew(from, context.now);
  const { ballot, partition, epoch, round } = message;
  if (replica.record.promised !== ballot) {
    answerGap(context, replica, from, message);
    return;
  }
  if (replica.released === ballot) return;
  hearLeader(context, replica, ballot);
  const protects = context.rules.protectedByConfirm(ballot);
  if (protects !== 0) acknowledge(context, replica, protects);
  keepWatching(context, replica);
  const lease = context.grants.echo(from, message.lease.sentAt);
  context.transactions.whenDurable(replica, () => {
    context.outbox.send(from, { kind: 'confirmed', partition, epoch, ballot, round, lease });
  });
}

export function onConfirmed(
  context: AcknowledgementPort,
  replica: Replica,
  from: ShardOrdinal,
  message: Confirmed,
): void {
  const { leader } = replica;
  if (leader === null || leader.ballot !== message.ballot || !replica.voters.includes(from)) return;
  hearLease(context, leader.progressOf(from), from, message.lease);
  const { current } = leader.confirms;
  if (current === null || current.number !== message.round) return;
  current.confirmedBy.add(from);
  if (roundIsConfirmed(context, replica, leader)) finishRound(context, replica, leader);
}
