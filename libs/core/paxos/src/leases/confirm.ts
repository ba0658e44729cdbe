import type { ShardOrdinal } from '@ringleader/primitives';
import type { ShardContext } from '../context.js';
import type { Confirm, Confirmed, Released, ReleaseSeen, Stand, Superseded } from '../messages.js';
import { hearLease } from '../accept/acknowledgements.js';
import { answerGap, followsLeader, hearLeader } from '../accept/acceptor.js';
import { keepWatching, watchLeader } from '../election/election-timer.js';
import { stand } from '../election/stand.js';
import { stepDown } from '../election/step-down.js';
import { ownerOf } from '../partition/ballot.js';
import type { Replica } from '../partition/replica.js';
import { finishRound, roundIsConfirmed } from './leadership-proof.js';
import { acknowledge } from './protection.js';

/** 4.4.2: "my promise is this ballot and it is not released". From then on the grant protects it (4.4.3). */
export function onConfirm(
  context: ShardContext,
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
  context: ShardContext,
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

/** 4.4.7: about a ballot that never serves again, so it holds in every epoch and however late it comes. */
export function onReleased(
  context: ShardContext,
  replica: Replica,
  from: ShardOrdinal,
  message: Released,
): void {
  const { ballot, partition, epoch } = message;
  if (ownerOf(ballot) !== from) return;
  if (replica.record.promised === ballot && replica.released !== ballot) {
    replica.released = ballot;
    // The successor, if the leader chose one, goes first.
    const { staggerMs } = context.pace;
    replica.standNotBefore = Math.max(replica.standNotBefore, context.now + staggerMs);
    watchLeader(context, replica);
  }
  context.outbox.send(from, { kind: 'releaseSeen', partition, epoch, ballot });
}

export function onReleaseSeen(context: ShardContext, from: ShardOrdinal, message: ReleaseSeen): void {
  context.releases.settle(message.partition, message.ballot, from);
}

/** 4.4.8: the leader gave its ballot up and chose this replica, which is at its position. */
export function onStand(context: ShardContext, replica: Replica, from: ShardOrdinal, message: Stand): void {
  const { ballot } = message;
  if (ownerOf(ballot) !== from || replica.record.promised !== ballot) return;
  if (replica.role.kind !== 'follower') return;
  replica.released = ballot;
  stand(context, replica);
}

export function onSuperseded(context: ShardContext, replica: Replica, message: Superseded): void {
  replica.highestSeen = Math.max(replica.highestSeen, message.promised);
  const { role } = replica;
  if (role.kind === 'follower' || role.ballot !== message.ballot || message.promised <= message.ballot)
    return;
  stepDown(context, replica, 'superseded');
  watchLeader(context, replica);
}
